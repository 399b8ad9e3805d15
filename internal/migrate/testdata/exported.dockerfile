FROM python:3.11-slim AS list
WORKDIR /tmp
RUN pip install poetry-plugin-export poetry-core pdm
COPY pyproject.toml poetry.lock* ./
RUN poetry export -f requirements.txt --output requirements.txt --without-hashes
FROM python:3.11-slim AS wheels
COPY --from=list /tmp/requirements.txt .
RUN pip wheel --wheel-dir=/wheels -r requirements.txt
FROM python:3.11-slim
RUN mkdir -p /srv/code
WORKDIR /srv/code/app
COPY --from=wheels /wheels/* /wheels/
COPY --from=list /tmp/requirements.txt missing.txt* ./
RUN pip install --no-index /wheels/*.whl && rm -r /wheels
COPY src src
ENV CONFIG=/srv/code/app/src/main.py
CMD ["gunicorn", "--chdir=/srv/code/app/src", "main:app"]
