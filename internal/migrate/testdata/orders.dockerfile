FROM --platform=$TARGETPLATFORM python:3.11-slim-bookworm AS builder
RUN apt-get update && apt-get install -y --no-install-recommends build-essential libffi-dev curl
WORKDIR /build
COPY orders/requirements.txt ./requirements.txt
RUN pip install --user --no-cache-dir -r requirements.txt
COPY orders/ ./orders/
COPY common/ ./common/
RUN echo "ORDERS_$(date +%s)" > ./orders/.marker && chown -R 65532:65532 ./orders ./common
FROM --platform=$TARGETPLATFORM gcr.io/distroless/python3-debian12:latest
ENV PYTHONPATH=/app:/usr/local/lib/python3.11/site-packages ORDERS_PORT=8090
WORKDIR /app
COPY --from=builder --chown=65532:65532 /root/.local/lib/python3.11/site-packages /usr/local/lib/python3.11/site-packages
COPY --from=builder --chown=65532:65532 /build/orders /app/orders
COPY --from=builder --chown=65532:65532 /build/common /app/common
RUN ["/usr/bin/python3.11", "-c", "import sys; sys.path.insert(0, '/usr/local/lib/python3.11/site-packages'); import fastapi, motor"]
EXPOSE 8090
HEALTHCHECK --interval=30s --timeout=10s --start-period=40s CMD ["/usr/bin/python3.11", "-c", "import socket; s=socket.socket(); s.settimeout(2); exit(0 if s.connect_ex(('127.0.0.1', 8090)) == 0 else 1)"]
USER 65532:65532
ENTRYPOINT []
CMD ["/usr/bin/python3.11", "/app/orders/entrypoint.py"]
