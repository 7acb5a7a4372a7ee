# Targets: `service` answers requests, `training` makes bundles, `load` runs the load test, `ray` is a machine of a Ray
# cluster. No image contains data.
# The classic builder builds all stages before a target, hence their order. Sizes: docs/deployment.md.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends g++ \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv --without-pip /opt/matinee
# All of service.txt, in the same versions, and the clients of object storages.
COPY requirements/storage.txt requirements/
COPY deploy/docker/compiler-args deploy/docker/shed deploy/docker/
# Only Annoy is compiled; print its compiler flags.
RUN ANNOY_COMPILER_ARGS="$(sh deploy/docker/compiler-args)" \
    pip --python /opt/matinee/bin/python install --no-cache-dir --no-deps --no-binary annoy --verbose \
      "$(grep '^annoy==' requirements/storage.txt)" > /opt/annoy.log 2>&1 || { cat /opt/annoy.log; exit 1; }; \
    grep annoymodule.cc /opt/annoy.log
RUN pip --python /opt/matinee/bin/python install --no-cache-dir --quiet -r requirements/storage.txt
RUN sh deploy/docker/shed /opt/matinee > /opt/matinee/shed.log && cat /opt/matinee/shed.log

# Layers shared by both images, stored once.
FROM ${PYTHON_IMAGE} AS runtime
RUN useradd --uid 10001 --create-home matinee && install -d -o matinee -g matinee /artifacts /artifacts-cache /store
COPY --from=build /opt/matinee /opt/matinee
COPY deploy/docker/matinee /usr/local/bin/matinee
ENV PATH=/opt/matinee/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MATINEE_ARTIFACTS=/artifacts \
    MATINEE_ARTIFACTS_CACHE=/artifacts-cache
WORKDIR /app

FROM runtime AS service
LABEL org.opencontainers.image.title="matinee-service" \
      org.opencontainers.image.description="Recommendations and predicted ratings over HTTP."
ENV MATINEE_HOST=0.0.0.0 \
    MATINEE_PORT=8000 \
    MATINEE_STORE=/store/feedback.sqlite3
COPY deploy/docker/healthcheck.py /app/healthcheck.py
COPY service service
COPY matinee matinee
RUN python -m compileall -q service matinee
USER matinee
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-SE", "/app/healthcheck.py"]
ENTRYPOINT ["matinee", "serve"]

FROM runtime AS training
LABEL org.opencontainers.image.title="matinee-training" \
      org.opencontainers.image.description="Trains on ratings and exports a bundle for matinee-service."
COPY requirements/training.txt requirements/dataset.txt requirements/
RUN pip --python /opt/matinee/bin/python install --no-cache-dir --quiet -r requirements/training.txt
COPY deploy/docker/train /usr/local/bin/matinee-train
COPY service service
COPY training training
COPY matinee matinee
RUN python -m compileall -q service training matinee
USER matinee
ENTRYPOINT ["matinee-train"]
CMD ["now"]

FROM training AS load
LABEL org.opencontainers.image.title="matinee-load" \
      org.opencontainers.image.description="The load test, on httpx."
USER root
COPY requirements/benchmarks.txt requirements/
RUN pip --python /opt/matinee/bin/python install --no-cache-dir --quiet -r requirements/benchmarks.txt
COPY client/matinee_client matinee_client
COPY benchmarks benchmarks
USER matinee
ENTRYPOINT ["python", "-m", "benchmarks.load_test"]
CMD ["http://127.0.0.1:8000"]

# Ray starts a shell in it, and its own processes.
FROM training AS ray
LABEL org.opencontainers.image.title="matinee-ray" \
      org.opencontainers.image.description="Training, tuning and scoring on a Ray cluster."
USER root
COPY requirements/ray-cluster.txt requirements/
RUN pip --python /opt/matinee/bin/python install --no-cache-dir --quiet -r requirements/ray-cluster.txt
ENV RAY_USAGE_STATS_ENABLED=0
USER matinee
ENTRYPOINT []
CMD ["bash"]
