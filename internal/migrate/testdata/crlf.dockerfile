FROM python:3.11-slim
WORKDIR /app
COPY src src
RUN apt-get update && \
  apt-get install -y curl
CMD [ "python", "-m", "src.main" ]
