FROM python:3.11-slim
ARG SERVICE
RUN apt-get update && apt-get install -y libpq5 curl && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN pip install -r requirements.txt && mkdir -p /app/logs && chmod 777 /app/logs
COPY . /app
COPY .env /app/.env
WORKDIR /app
USER lucid
HEALTHCHECK CMD curl -f http://localhost:${PORT:-8000}/health || exit 1
CMD gunicorn -k uvicorn.workers.UvicornWorker -b 0.0.0.0:${PORT:-8000} app.main:app
