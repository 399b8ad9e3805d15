FROM registry.example.com/lucid/alpine-base:v1
COPY src /app/src
ENV SERVICE_NAME=bot SERVICE_PORT=8000
EXPOSE 8000
HEALTHCHECK NONE
CMD ["python", "-m", "src.main"]
