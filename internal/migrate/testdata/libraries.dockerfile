FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends \
    libpq5=15.* libmagic1:amd64 libgl1 build-essential libpq-dev libssl3 tini curl \
    ffmpeg $EXTRA && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY main.py .
CMD ["python", "main.py"]
