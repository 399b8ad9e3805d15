FROM registry.example.com/lucid/deps:3.11 AS deps
FROM python:3.11-slim
WORKDIR /app
COPY --from=deps /usr/local/lib/python3.11/site-packages /usr/local/lib/python3.11/site-packages
COPY --from=registry.example.com/tools /usr/local/bin/tool /usr/local/bin/tool
COPY src src
ENTRYPOINT ["dumb-init", "--", "/app/docker-entrypoint.sh"]
CMD ["python", "-m", "src.main"]
