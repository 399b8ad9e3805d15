FROM python:3.11-slim
# café
LABEL title="café" é=x
ENV GREETING=café
COPY src /app/src
RUN mkdir -p "/data/été"
HEALTHCHECK CMD ["python", "/app/src/main.py", "é"]
CMD ["python", "-m", "src.main", "--greet", "é"]
