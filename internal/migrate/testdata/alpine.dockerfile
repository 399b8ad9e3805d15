FROM python:3.11-alpine
RUN apk add --no-cache tini build-base libffi-dev
WORKDIR /srv/bot
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY src/ .
RUN adduser -D bot && mkdir -p /srv/bot/state && chown bot /srv/bot/state
USER bot
ENTRYPOINT ["/sbin/tini", "--", "python", "main.py"]
