FROM python:3.11-slim
WORKDIR /app
COPY src src
CMD ["sh", "-c", "python -m src.main $EXTRA | tee /tmp/log"]
