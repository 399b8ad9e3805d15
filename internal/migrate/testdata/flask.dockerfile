FROM python:3.11
WORKDIR /code
COPY requirements.txt requirements.txt
RUN pip install --no-cache-dir --upgrade pip && pip install -r requirements.txt
COPY app app
ENV FLASK_APP=app.main DATA_DIR=/code/data
EXPOSE 5000
CMD ["gunicorn", "--bind", "0.0.0.0:5000", "--chdir", "/code", "app.main:app"]
