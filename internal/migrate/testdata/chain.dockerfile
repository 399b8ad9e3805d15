FROM python:3.11 AS base
WORKDIR /w
COPY . .
FROM base AS test
RUN pytest
FROM base AS builder
RUN pip install --target=/deps -r requirements.txt
FROM scratch AS files
COPY --from=builder /w/app /out/app
COPY --from=builder /w/common /out/common
COPY --from=builder /deps /out/deps
FROM gcr.io/distroless/python3-debian12
COPY --from=files /out /srv
ENV PYTHONPATH=/srv/deps:/srv
WORKDIR /srv
ENTRYPOINT ["python3"]
CMD ["-m", "app.main"]
