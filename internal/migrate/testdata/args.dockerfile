ARG VERSION=3.11
ARG VARIANT
FROM python:${VERSION}-slim AS build
ARG SERVICE=orders
ARG API_TOKEN
ARG VERSION
COPY ${SERVICE}/requirements.txt .
RUN pip install --user -r requirements.txt
COPY ${SERVICE} /src/${SERVICE}
FROM gcr.io/distroless/python3-debian12${VARIANT:+:$VARIANT}
ARG SERVICE=orders
ARG BUILD_DATE
LABEL org.opencontainers.image.version="1.10" org.opencontainers.image.created=$BUILD_DATE com.lucid.service=${SERVICE}
COPY --from=build /root/.local/lib/python3.11/site-packages /packages
COPY --from=build /src/${SERVICE} /app/${SERVICE}
ENV PYTHONPATH=/packages:/app SERVICE_NAME=${SERVICE} DB_PASSWORD=hunter2hunter2
EXPOSE 8080
ENTRYPOINT []
CMD ["/usr/bin/python3", "-c", "import asyncio; from orders.main import main; asyncio.run(main())"]
