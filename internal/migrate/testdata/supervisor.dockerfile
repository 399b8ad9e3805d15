FROM python:3.11-slim
RUN apt-get update && apt-get install -y supervisor
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt
EXPOSE 8000
CMD ["/usr/bin/supervisord", "-c", "/app/supervisord.conf"]
