FROM python:3.11-slim
WORKDIR /app
COPY src src
ENV PORT=8000 LOG=info
EXPOSE $PORT
HEALTHCHECK CMD curl --fail "http://localhost:${PORT}/health?full=1" || exit 1
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
CMD exec python -m src.main --port $PORT --name "a b" --log '${LOG}'
