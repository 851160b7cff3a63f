# The image of the service. Every package comes by hash from requirements/, what builds stays behind
# with the first stage, and nothing in the last one is the service's own to change.
#
#   docker build --tag safe-conduct .
#   docker run --rm -v safe-conduct:/srv/safe-conduct/var --env-file FILE safe-conduct key new
#   docker run --rm -v safe-conduct:/srv/safe-conduct/var --env-file FILE safe-conduct migrate
#   docker run --read-only --tmpfs /tmp -v safe-conduct:/srv/safe-conduct/var -p 127.0.0.1:8000:8000 --env-file FILE safe-conduct
#
# The key once, the migration for each version. Between it and the last one a directory is loaded:
# docs/operations.md goes through it step by step.
#
# A tag can be moved. Whoever builds for production pins what they have looked at, and mirrors it:
#   docker build --build-arg PYTHON_IMAGE=python:3.13.15-slim-trixie@sha256:... .
# where `docker buildx imagetools inspect python:3.13.15-slim-trixie` tells the digest.
# `make rehearse` carries this file out without Docker, and says what it cannot show.
ARG PYTHON_IMAGE=python:3.13.15-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/safe-conduct
COPY requirements/build.txt requirements/run.txt /tmp/
RUN python -m venv /opt/venv
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/build.txt -r /tmp/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY app ./app
# A checkout under a strict umask keeps its modes here, and the service's user could not read it.
RUN chmod -R a+rX,go-w .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable .
RUN /opt/venv/bin/pip uninstall --yes setuptools pip
RUN /opt/venv/bin/python -m compileall -q /opt/venv/lib app migrations

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Safe Conduct" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN python -m pip uninstall --yes pip
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SAFE_CONDUCT_HOST=0.0.0.0
WORKDIR /srv/safe-conduct
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/safe-conduct ./
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", "var"]

# The embedded database and the key file: all that is this user's to change.
VOLUME /srv/safe-conduct/var
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f\"http://127.0.0.1:{os.environ.get('SAFE_CONDUCT_PORT', 8000)}/livez\", timeout=2)"]
ENTRYPOINT ["safe-conduct"]
CMD ["serve"]
