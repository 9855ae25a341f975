# The dashboard with a local workspace of its own, on the volume /data.
#
#   docker build --tag azureml-dashboard .
#   docker run --publish 127.0.0.1:8501:8501 --volume dashboard:/data azureml-dashboard
#
# One container runs both: the dashboard keeps the workspace's supervisor as its child, so
# deployments and schedules live as long as the container, whether or not a browser is open.

FROM python:3.11-slim AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.txt constraints.txt ./
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --requirement requirements.txt \
 && /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib

FROM python:3.11-slim

# ab for the load tests, OpenMP for LightGBM, and an init that reaps what loses its parent.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends apache2-utils libgomp1 tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --shell /usr/sbin/nologin dashboard \
 && install --directory --owner=dashboard --group=dashboard --mode=0700 /data

COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY .streamlit .streamlit
COPY services services
COPY dashboard dashboard
COPY pages pages
RUN /opt/venv/bin/python -m compileall -q -j 0 dashboard pages services

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 DASHBOARD_HOME=/data
USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "dashboard", "--address", "0.0.0.0", "--port", "8501"]
