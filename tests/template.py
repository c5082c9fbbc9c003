"""The migrated database that all tests' databases are cloned from, made ahead of them: `python -m tests.template`."""

import os

import psycopg

from tests import services

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.testing")
    with psycopg.connect(os.environ["TEST_SERVER_URL"], autocommit=True) as server:
        services.ensure_template(server)
