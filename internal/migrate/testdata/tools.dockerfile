FROM python:3.11-slim AS waits
COPY src /app/src
CMD ["tail", "-f", "/dev/null"]
FROM python:3.11-slim AS wrapped
COPY src /app/src
CMD stdbuf -oL python -m src.main
FROM python:3.11-slim AS by-shell
COPY src /app/src
ENTRYPOINT ["/bin/bash", "-c"]
CMD ["python -m src.main --all"]
FROM python:3.11-slim
COPY src /app/src
CMD ["/usr/local/bin/uvicorn", "src.main:app"]
