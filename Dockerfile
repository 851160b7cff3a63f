# The image of the service. Every package is installed by hash from requirements/. The build tools remain in the
# first stage. The service's user cannot change any file of the last stage except those in var.
#
#   docker build --tag safe-conduct .
#   docker run --rm -v safe-conduct:/srv/safe-conduct/var --env-file FILE safe-conduct key new
#   docker run --rm -v safe-conduct:/srv/safe-conduct/var --env-file FILE safe-conduct migrate
#   docker run --read-only --tmpfs /tmp -v safe-conduct:/srv/safe-conduct/var -p 127.0.0.1:8000:8000 --env-file FILE safe-conduct
#
# Run `key new` once, and `migrate` for each version. A directory has to be loaded before `serve`: docs/operations.md
# describes each step.
#
# A tag can be moved. For production, pin a digest that you have checked, and mirror the image:
#   docker build --build-arg PYTHON_IMAGE=python:3.13.15-slim-trixie@sha256:... .
# `docker buildx imagetools inspect python:3.13.15-slim-trixie` shows the digest.
# `make rehearse` builds this file without Docker, and prints what it does not check.
ARG PYTHON_IMAGE=python:3.13.15-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/safe-conduct
COPY requirements/build.txt requirements/run.txt /tmp/
RUN python -m venv /opt/venv
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r /tmp/build.txt -r /tmp/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY app ./app
# The modes of the checkout are copied. With a strict umask, the service's user could not read the files.
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

# The embedded database and the key file. Only these can be changed by the user.
VOLUME /srv/safe-conduct/var
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f\"http://127.0.0.1:{os.environ.get('SAFE_CONDUCT_PORT', 8000)}/livez\", timeout=2)"]
ENTRYPOINT ["safe-conduct"]
CMD ["serve"]
