FROM python:3.11-slim
WORKDIR /app
COPY src src
EXPOSE 8000-8002 53/udp 9000/tcp 20000-30000 x
HEALTHCHECK --start-period=1m CMD ["curl", "-f", "http://localhost:9000/"]
CMD ["python", "-m", "src.main"]
