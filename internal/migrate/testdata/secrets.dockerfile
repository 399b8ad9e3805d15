FROM python:3.11-slim
WORKDIR /app
COPY id_rsa /root/.ssh/id_rsa
COPY credentials/server.pem certs/
COPY .env.production .
COPY src secretsrc ./
COPY secretsrc /app/secretsrc
ENV API_KEY=abcdefgh12345678 API_KEY_FILE=/run/secrets/key
CMD ["python", "main.py"]
