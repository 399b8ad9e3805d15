FROM python:3.11-slim AS a
COPY src /app/src
CMD uvicorn src.main:app --port 8000 2>&1 | tee /tmp/log
FROM python:3.11-slim AS b
COPY src /app/src
CMD exec gunicorn src.main:app --workers $(nproc) -b :9000 > /dev/stdout 2>&1
FROM python:3.11-slim AS c
COPY src /app/src
CMD if [ "$X" = 1 ]; then python -m src.other; else python -m src.main; fi
FROM python:3.11-slim AS d
COPY src /app/src
CMD ['python', '-m', 'src.main']
