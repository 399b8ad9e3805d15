FROM python:3.11-slim AS common
WORKDIR /srv
WORKDIR api
COPY src .
CMD ["python", "main.py"]
FROM common AS own-entry
ENTRYPOINT ["gunicorn", "main:app"]
FROM common AS both
CMD ["--workers", "2"]
ENTRYPOINT ["gunicorn", "main:app"]
FROM common
ENV PYTHONPATH="${PYTHONPATH}:/srv:/srv/api/lib:/usr/local/lib/python3.11/site-packages"
