"""The wiring: a half-configured server does not start, errors have one shape, pages run no script but ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from rest_framework import exceptions

from accounts.exceptions import Conflict
from config.api.problems import problem_details
from config.checks import redis_policy_is_known

ROOT = Path(__file__).resolve().parent.parent.parent
COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghij",
    "ALLOWED_HOSTS": "plumbline.example",
    "SITE_URL": "https://plumbline.example",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load the ASGI application as a server would."""
    kept = {name: value for name, value in os.environ.items() if name not in COMPLETE}
    return subprocess.run(
        [sys.executable, "-c", "import config.asgi"],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("missing", "check"), [("ALLOWED_HOSTS", "E002"), ("DATABASE_URL", "E003"), ("REDIS_URL", "E004")]
)
def test_production_does_not_start_without(missing: str, check: str) -> None:
    environment = {name: value for name, value in COMPLETE.items() if name != missing}
    ended = start(environment)
    assert ended.returncode != 0
    assert f"plumbline.{check}" in ended.stderr and missing in ended.stderr


def test_production_does_not_start_without_a_secret_key() -> None:
    ended = start({name: value for name, value in COMPLETE.items() if name != "SECRET_KEY"})
    assert ended.returncode != 0 and "SECRET_KEY" in ended.stderr


def test_production_starts_when_everything_is_set() -> None:
    ended = start(COMPLETE)
    assert ended.returncode == 0, ended.stderr


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(COMPLETE["SECRET_KEY"])
    environment = {name: value for name, value in COMPLETE.items() if name != "SECRET_KEY"}
    ended = start(environment | {"SECRET_KEY_FILE": str(tmp_path / "key")})
    assert ended.returncode == 0, ended.stderr


def test_a_misspelt_redis_policy_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redis_policy_is_known(None) == []
    monkeypatch.setattr(settings, "JOBS_WHEN_REDIS_IS_DOWN", "inlien")
    assert [message.id for message in redis_policy_is_known(None)] == ["plumbline.E005"]


def test_errors_of_ours_keep_their_code_and_say_more() -> None:
    answer = problem_details(Conflict("Somebody was faster.", code="edit_conflict", extra={"current": {"a": 1}}), {})
    assert answer is not None and answer.status_code == 409
    assert answer.data == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody was faster.",
        "code": "edit_conflict",
        "current": {"a": 1},
    }


def test_validation_errors_name_their_fields() -> None:
    answer = problem_details(exceptions.ValidationError({"name": ["Too long."]}), {})
    assert answer is not None and answer.data["code"] == "invalid" and answer.data["errors"] == {"name": ["Too long."]}
    assert problem_details(RuntimeError("a bug"), {}) is None


def test_a_database_that_is_away_is_said_and_clients_come_again() -> None:
    answer = problem_details(OperationalError("connection failed: /secret/socket"), {})
    assert answer is not None and answer.status_code == 503 and answer["Retry-After"] == "5"
    assert answer.data["code"] == "database_away" and "secret" not in str(answer.data)


def test_pages_run_no_script_but_ours(db: None) -> None:
    policy = Client().get("/accounts/login/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
