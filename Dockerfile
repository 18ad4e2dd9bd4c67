# syntax=docker/dockerfile:1

FROM node:24-slim AS front-end
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tools/build_assets.mjs tools/
COPY app/static/src app/static/src
COPY app/templates app/templates
RUN npm run build

FROM python:3.13-slim AS packages
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --no-compile -r requirements.txt

FROM python:3.13-slim
RUN groupadd --gid 10001 desk && useradd --uid 10001 --gid desk --no-create-home --shell /usr/sbin/nologin desk
WORKDIR /srv/desk
COPY --from=packages /opt/venv /opt/venv
COPY config.py wsgi.py gunicorn.conf.py ./
COPY migrations migrations
COPY app app
COPY --from=front-end /src/app/static/build app/static/build
# The program may write here and nowhere else: SQLite's file, the engine's lock, compiled indicators.
RUN install -d -o desk -g desk -m 0700 instance
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/srv/desk/instance/numba
USER desk
VOLUME /srv/desk/instance
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Its threads come from LIVE_PAGES: see gunicorn.conf.py.
CMD ["gunicorn", "wsgi:app", "-b", "0.0.0.0:8000"]
