FROM python:3.11-slim@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt \
    if [ -n "$X" ]; then echo x; fi; pip install -r /tmp/requirements.txt
LABEL org.opencontainers.image.title="Bot" org.opencontainers.image.description="A bot" maintainer="a b"
ENV DATABASE_URL=postgres://bot:hunter22x@db:5432/bot REDIS_URL=redis://redis:6379/0 1BAD=x
COPY --chmod=755 . .
RUN ln -s /app/src /opt/src && sed -i s/a/b/ src/main.py
HEALTHCHECK --interval=5m --timeout=3s CMD python /app/main.py --check || exit 1
CMD ["python", "main.py"]
