FROM python:3.11-slim
WORKDIR /app
COPY docker-entrypoint.sh /usr/local/bin/
RUN chmod +x /usr/local/bin/docker-entrypoint.sh
COPY src src
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["python", "-m", "src.main"]
