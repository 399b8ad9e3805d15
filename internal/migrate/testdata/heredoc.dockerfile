# syntax=docker/dockerfile:1
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt ./
RUN <<SH
set -e
apt-get update
apt-get install -y ffmpeg
pip install -r requirements.txt
date > /app/.built
SH
COPY <<CONF /app/settings.ini
[server]
port = 8000
CONF
COPY src src
CMD ["python", "-m", "src.main"]
