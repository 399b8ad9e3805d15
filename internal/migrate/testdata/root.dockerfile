FROM python:3.11-slim
COPY main.py /main.py
CMD ["python", "/main.py"]
