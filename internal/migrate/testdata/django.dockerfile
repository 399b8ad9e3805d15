FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED 1
ENV DJANGO_SETTINGS_MODULE=app.settings SECRET_KEY=Zx91kq02mvAp77
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libpq-dev libmagic1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt /app/
RUN pip install -r requirements.txt
COPY . /app/
RUN python manage.py collectstatic --noinput
VOLUME /app/media /var/lib/django
EXPOSE 8000
CMD python manage.py migrate && gunicorn app.main:app --bind 0.0.0.0:8000
