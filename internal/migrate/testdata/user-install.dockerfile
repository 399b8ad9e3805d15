# escape=`
FROM python:3.9-slim
MAINTAINER somebody
USER root
WORKDIR /opt/app
COPY . .
RUN pip3 install --no-cache-dir `
    -r requirements.txt
EXPOSE 80
ENTRYPOINT python main.py
CMD ignored
