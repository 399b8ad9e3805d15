FROM python:3.11-slim AS rootfs
COPY requirements.txt /
RUN pip install --target=/deps -r /requirements.txt
FROM scratch
COPY --from=rootfs /usr/bin /usr/bin
COPY --from=rootfs /lib /lib
COPY --from=rootfs /deps /deps
COPY --from=rootfs /bin/sh /bin/sh
COPY --from=rootfs /etc/passwd /etc/passwd
ENV PYTHONPATH=/deps:/app
COPY src/ /app/src/
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/python3", "-m", "src.main"]
