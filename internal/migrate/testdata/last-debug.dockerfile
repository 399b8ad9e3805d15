FROM python:3.11-slim AS prod
COPY src /service
COPY data /etc/service
RUN pip install -r requirements.txt
HEALTHCHECK CMD python -u /service/main.py --check || exit 1
CMD ["python", "-u", "/service/main.py", "--static", "/service/static"]
FROM prod AS debug
RUN pip install debugpy
CMD ["python", "-m", "debugpy", "/service/main.py"]
