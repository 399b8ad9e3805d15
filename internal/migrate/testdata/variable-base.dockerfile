ARG BASE
FROM ${BASE}
COPY main.py /app/
WORKDIR /app
CMD ["python", "main.py"]
