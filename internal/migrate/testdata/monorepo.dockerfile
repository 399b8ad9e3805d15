FROM python:3.11-slim AS builder
WORKDIR /build
COPY __init__.py ./sessions/
COPY sessions/core ./sessions/core
COPY sessions/storage ./sessions/storage
COPY common ./common
RUN rm -rf ./common/tests
RUN pip install fastapi==0.104.1 "uvicorn[standard]>=0.24" -t /deps
FROM gcr.io/distroless/python3-debian12:arm64
COPY --from=builder --chown=65532:65532 /build/ /app/
COPY --from=builder /deps /deps
RUN ["/usr/bin/python3.11", "-c", "import os; assert os.path.exists('/app/sessions/core')"]
WORKDIR /app
USER 65532:65532
EXPOSE 8080 8081
HEALTHCHECK CMD ["/usr/bin/python3.11", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/api/v1/health\").read()"]
ENTRYPOINT ["/usr/bin/python3.11"]
CMD ["/app/sessions/core/main.py"]
