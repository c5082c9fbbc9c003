"""Contact persons in real notices: gone before text leaves the house; references, dates and money stay."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai.redaction import redact

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "tenders"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES is not set")

EMAIL = re.compile(r"\w@\w+\.\w")
FIGURES = re.compile(r"\d{4}-\d\d-\d\d|\d{8}-\d\b|20\d\d/S \d{3}-\d{6}|[£€]\s?[\d,.]+")


def texts() -> Iterator[str]:
    for path in sorted(FOLDER.glob("*.json*")):
        content = path.read_text(encoding="utf-8")
        documents = content.splitlines() if path.suffix == ".jsonl" else [content]
        for document in documents:
            yield from strings(json.loads(document))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if not value.startswith("http"):
            yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def test_no_address_is_left_and_no_figure_is_lost() -> None:
    seen = 0
    for text in texts():
        told, count = redact(text)
        seen += count
        assert not EMAIL.search(told)
        assert FIGURES.findall(told) == FIGURES.findall(text)
    assert seen > 30
