FROM node:20 AS web
COPY web /web
RUN npm ci && npm run build
FROM python:3.11-slim AS proto
COPY src /work/src
RUN mkdir -p /work/data && mv /work/src /work/code
RUN python -m grpc_tools.protoc -I. x.proto
FROM python:3.11-slim
WORKDIR /app
COPY --from=web /dist /app/static
COPY --from=proto /work/code /app/src
COPY --from=proto --chown=65532:65532 /work/data /app/data
COPY --from=proto /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/x86_64-linux-gnu/
COPY --from=busybox:latest /bin/busybox /bin/sh
COPY --from=2 . .
COPY gone/ /app/gone/
COPY src/main.py /app/start.py
COPY data /data
ONBUILD COPY . /app
CMD ["python", "-m", "src.main"]
