FROM python:3.11-slim
WORKDIR /app
RUN mkdir -p /app/data /app/logs /data/state /var/log && chmod -R 777 /app/logs && chown -R 1000 /app
COPY src /app/src
RUN chmod a+w /app/src
VOLUME ["/data/state", "/etc/app"]
CMD ["python", "-m", "src.main"]
