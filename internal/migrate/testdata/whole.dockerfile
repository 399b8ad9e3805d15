FROM python:3.11-slim AS build
WORKDIR /app
COPY . .
RUN python -m venv .venv && .venv/bin/pip install -r requirements.txt && pip install --prefix=/install -r orders/requirements.txt
FROM gcr.io/distroless/python3-debian12
WORKDIR /app
COPY --from=build /app .
COPY --from=build /install /usr/local
COPY --from=build /app/common/lib.py /app/extra/lib.py
COPY --from=build ["/etc/ssl/certs", "/etc/ssl/certs"]
ENV PATH=/app/.venv/bin PYTHONPATH=/usr/local/lib/python3.11/site-packages:/app/src
USER nobody:nogroup
VOLUME /app/data /app
CMD ["-m", "uvicorn", "src.main:app", "--uds", "/tmp/x.sock"]
