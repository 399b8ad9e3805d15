FROM python:3.11-slim AS base
FROM base AS builder
RUN pip install poetry==1.8.2
COPY pyproject.toml poetry.lock ./
RUN poetry config virtualenvs.in-project true && poetry install --only main --no-root
FROM base AS runtime
WORKDIR /app
COPY --from=builder /.venv /app/.venv
ENV PATH="/app/.venv/bin:$PATH"
COPY src /app/src
CMD ["poetry", "run", "uvicorn", "src.main:app", "--host", "0.0.0.0", "--port", "8000"]
