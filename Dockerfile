# One image for web, worker and scheduler; the command tells which (compose.yaml, render.yaml).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PATH=/opt/venv/bin:$PATH \
    DJANGO_SETTINGS_MODULE=config.settings.production MEDIA_ROOT=/data/media

RUN useradd --system --uid 10001 --home-dir /app plumbline \
    && mkdir -p /app /data/media && chown plumbline /data/media

WORKDIR /app
COPY requirements.txt .
RUN python -m venv /opt/venv && pip install --require-hashes -r requirements.txt

COPY . .
# Values that only satisfy the settings while static files are collected; none of them stays in the image.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput

USER plumbline
VOLUME /data/media
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/health')"]

# Several processes answer on one port: /metrics adds up what each has counted since this start, in a folder they share.
# `exec`, so that SIGTERM reaches uvicorn. Which proxy to believe is told by FORWARDED_ALLOW_IPS.
CMD ["sh", "-c", "export PROMETHEUS_MULTIPROC_DIR=/tmp/prometheus && rm -rf $PROMETHEUS_MULTIPROC_DIR && mkdir $PROMETHEUS_MULTIPROC_DIR && exec uvicorn config.asgi:application --host 0.0.0.0 --port ${PORT:-8000} --workers ${WEB_PROCESSES:-2} --no-access-log --timeout-graceful-shutdown 20 --ws-per-message-deflate false"]
