FROM python:3.11-alpine AS build
WORKDIR /build
COPY pyproject.toml .
RUN pip install pdm && pdm install --prod && uv sync --locked && poetry install --no-root
FROM python:3.11-alpine
RUN apk add --no-cache --virtual needed libpq ffmpeg gcc
COPY --from=build /build/__pypackages__/3.11/lib /app/pkgs
ENV PYTHONPATH=/app/pkgs
COPY src /app/src
CMD ["python", "-m", "src.main"]
