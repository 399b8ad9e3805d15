FROM gcr.io/distroless/java17-debian12
COPY data/app.jar /app.jar
CMD ["app.jar"]
