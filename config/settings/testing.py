"""Tests: real PostgreSQL and Redis, cheap passwords, files in a folder of their own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from .base import *  # noqa: F403
from .base import STORAGES
from .logs import logging_for

SECRET_KEY = "testing-only-not-a-secret-testing-only-not-a-secret-testing"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
if "MEDIA_ROOT" in os.environ:
    MEDIA_ROOT = Path(os.environ["MEDIA_ROOT"])
else:
    MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="plumbline-media-"))
    _MADE_BY = os.getpid()

    @atexit.register
    def _remove_media() -> None:
        """With this process, not with a child that it forks."""
        if os.getpid() == _MADE_BY:
            shutil.rmtree(MEDIA_ROOT, ignore_errors=True)


LOGGING = logging_for("quiet")
SLOW_QUERY_MS = 60_000.0  # a loaded machine is no news; the tests of the slow-query log set their own
THROTTLES_ENABLED = False  # many calls from one address; tests of the throttles turn them on
