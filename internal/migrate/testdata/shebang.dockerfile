FROM python:3.11-slim AS common
WORKDIR /app
COPY src src
FROM common AS script
COPY bin/start ./
CMD ["./start"]
FROM common AS by-shell
COPY bin bin
ENTRYPOINT ["sh", "-e", "bin/start"]
FROM common AS by-path
COPY bin bin
ENV PATH=/app/bin:$PATH
CMD ["start", "--now"]
FROM common AS shell
CMD ["bash"]
FROM common AS elsewhere
CMD ["/opt/vendor/run"]
FROM common AS in-venv
COPY requirements.txt .
RUN python -m venv env && env/bin/pip install -r requirements.txt
CMD ["env/bin/gunicorn", "src.main:app"]
FROM common AS tool-by-path
COPY bin bin
ENV PATH=/app/bin:$PATH
CMD ["tool", "serve"]
FROM common
COPY bin bin
CMD ["./bin/tool", "serve"]
