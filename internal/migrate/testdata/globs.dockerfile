FROM python:3.11-slim
WORKDIR /app
COPY requirements*.txt ./
RUN python -m pip install -r requirements.txt -r requirements-extra.txt
COPY *.py /app/
COPY --exclude=tests src /app/src
CMD ["python", "main.py"]
