"""The browser for tests/e2e: Chromium from PLUMBLINE_CHROMIUM or PATH."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]  # runs as root and in containers with a small /dev/shm


def chromium() -> str:
    """Its path. Without one the test is skipped, but fails where CI promises a browser."""
    found = os.environ.get("PLUMBLINE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = f"no browser: set PLUMBLINE_CHROMIUM or put one of {', '.join(NAMES)} on PATH"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)
