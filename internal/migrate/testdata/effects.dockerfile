FROM python:3.11-slim
ENV HOME_DIR=/opt/app LISTS=lists
ARG KIND=prod
RUN mkdir -m 750 -p $HOME_DIR/data "${HOME_DIR}/spool" && chmod 777 ${HOME_DIR}/data
WORKDIR $HOME_DIR
COPY lists /lists
RUN pip install --index-url https://bot:hunter22x@pypi.example.com/simple -r /$LISTS/${KIND}.txt
RUN echo "workers = 2" >> conf.py && echo built > .marker && printf '%s' x | tee -a app.yaml
RUN python -c "import json, os; assert os.path.exists('/opt/app'), 'gone (x)'; print(json.dumps(1)) if False else None"
RUN python -c "import nltk; nltk.download('punkt')"
RUN python3 -c "open('/opt/app/x', 'w').write('y')"
RUN python - <<PY
import model
model.fetch("all")
PY
RUN <<PY
#!/usr/bin/env python3
import os
print(os.environ)
PY
RUN cat <<TEXT > $HOME_DIR/settings.toml
apt-get install x
TEXT
RUN <<SH bash -e
. env/bin/activate
apt-get install -y ./vendor.deb libpq5 -t bookworm-backports
SH
RUN if command -v apk; then echo; elif true; then pip install -r ${LISTS}.toml; fi
COPY src src
COPY pyproject.toml /tmp/
ADD https://example.com/tini-amd64 /usr/bin/tini
CMD ["celery", "-A", "src.main", "--broker=amqp://bot:hunter22x@mq//", "worker"]
