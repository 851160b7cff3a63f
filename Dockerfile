# Packages come by hash from requirements/run.txt. setuptools, which only registers our own source
# and its command, stays behind with the first stage.

FROM python:3.13-slim AS build
WORKDIR /srv/safe-conduct
COPY requirements/run.txt /tmp/run.txt
RUN python -m venv /opt/venv
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY app ./app
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --editable .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Safe Conduct" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/safe-conduct
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/safe-conduct ./
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", "var"]

# The embedded database and the key file. Nothing else here is this user's to change.
VOLUME /srv/safe-conduct/var
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["safe-conduct"]
CMD ["serve"]
