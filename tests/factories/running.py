"""Management commands run in this process, and what they told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from projects.models import Project


def manage(capsys: pytest.CaptureFixture[str], name: str, *arguments: str | Path, **options: Any) -> tuple[int, Any]:
    """Exit status, and the JSON object on stdout."""
    capsys.readouterr()
    status = 0
    try:
        call_command(name, *map(str, arguments), json=True, **options)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, json.loads(capsys.readouterr().out)


def forget_folders() -> None:
    """As if no folder had ever come in."""
    Project.objects.filter(file_project__isnull=False).delete()
