FROM python:3.11-slim AS web
COPY src /app/src
RUN apt-get install -y libreoffice libmagic1 libcap2-bin && pip install poetry==$(cat poetry.lock | awk -F '( |v)' '{print $2}')
RUN mkdir -p /app/logs && chmod -R u+rwX,g+w /app/logs && chmod o=rwx /app/src
HEALTHCHECK CMD wget -q -O /dev/null http://localhost:8000/up || exit 1
CMD uwsgi --master --harakiri 25 --http :8000 --module src.main --max-requests 1000
FROM python:3.11-slim AS worker
COPY src /app/src
CMD ["celery", "-A", "src.main", "worker", "--max-tasks-per-child", "50"]
FROM python:3.11-slim AS timed
COPY src /app/src
CMD ["gunicorn", "--timeout", "120", "--bind=[::]:9000", "src.main:app"]
FROM python:3.11-slim AS files
COPY src /app/src
CMD ["python", "-m", "http.server", "8100"]
FROM python:3.11-slim
COPY src /app/src
CMD ["streamlit", "run", "src/main.py", "--server.port=8501"]
