FROM python:3.11-slim AS common
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY common common
FROM common AS worker
COPY src src
CMD ["celery", "-A", "src.main", "worker"]
FROM common AS test
COPY tests tests
CMD ["pytest"]
FROM common AS api
COPY app app
EXPOSE 8000
HEALTHCHECK CMD wget -qO- http://127.0.0.1:8000/ready
CMD ["uvicorn", "app.main:app", "--port", "8000"]
