# syntax=docker/dockerfile:1
FROM python:3.11-slim@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
RUN groupadd -r app && useradd -r -g app app
WORKDIR /app
COPY --chown=app:app requirements.txt .
RUN pip install -r requirements.txt
COPY --chown=app:app app ./app
USER app
HEALTHCHECK --interval=1m CMD celery -A app.main inspect ping -d celery@$HOSTNAME || exit 1
STOPSIGNAL SIGQUIT
ENTRYPOINT ["tini", "--"]
CMD ["celery", "-A", "app.main", "worker", "--loglevel=info"]
