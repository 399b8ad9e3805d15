FROM python:3.11-slim
WORKDIR /app
ADD https://user:pw@example.com/model.bin /app/
ADD data/model.tar.gz /app/model/
ADD src /app/src
ADD https://github.com/example/x.git /x
RUN curl -sSL https://example.com/install | sh
CMD ["python", "-m", "src.main"]
