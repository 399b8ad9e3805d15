FROM gcr.io/distroless/python3-debian12:nonroot
COPY src /app
WORKDIR /app
USER nonroot
CMD ["main.py", "--port", "9000"]
