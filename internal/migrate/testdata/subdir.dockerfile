FROM python:3.11-slim
WORKDIR /app/src
COPY src/ /app/src/
CMD ["python", "main.py"]
