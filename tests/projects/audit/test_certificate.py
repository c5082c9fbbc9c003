"""The certificate's file: replayed anywhere to the same, and a changed digit is found."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.audit.certificate import canonical
from projects.audit.certificate_file import certificate_of, packed, read_certificate
from projects.audit.engine import audit
from projects.audit.file_facts import FileFacts, Remark
from projects.audit.findings import Override
from projects.audit.references import CatalogueEntry, HistoryEntry, history_key
from projects.audit.replay import replay
from projects.audit.view import BudgetView
from projects.parsers.bill import MeasureLine, StatedTotal
from tests.projects.audit.build import position
from tests.projects.audit.large_view import large_view
from tests.projects.audit.test_incremental import POSITIONS, _budget

ROOT = Path(__file__).parents[3]
D = Decimal


def rich_view() -> BudgetView:
    """Everything that a view can hold."""
    large = large_view(60)
    measure = (MeasureLine("délka*2", "expression", D("4.50"), "", True), MeasureLine("2", "comment", D(2), "délka"))
    rows = [*large.positions, position(number="x", key="900", ordinal=900, measure=measure, vat_rate=D("15.00"))]
    code = rows[0].code
    return BudgetView(
        rows,
        **large.context
        | {
            "totals": [StatedTotal("section", D("999.90"), "SO 0", ("HSV Práce a dodávky HSV",), "A1", D("0.5"))],
            "figures": {("SO 0", "délka"): D("2.250")},
            "catalogue": {code: CatalogueEntry(code, "Pasy", "m3", D("10.0"), "2025", D(9), date(2025, 1, 1), "x", "")},
            "catalogue_name": "ÚRS",
            "history": {history_key(rows[1].code, "m2"): HistoryEntry(D("5.50"), 3, D(5), D(6), True)},
            "blank": rows[:5],
            "file_facts": [
                FileFacts("a.xlsx", "kros_xlsx", hidden_rows=("SO!1",), remarks=(Remark(1, "2", "c", "m"),))
            ],
            "absent": {"blank": "gone"},
        },
    )


def content_of(view: BudgetView, **options: Any) -> bytes:
    result = audit(view, **options)
    return certificate_of(
        view=view,
        result=result,
        precision=options.get("precision", {}),
        overrides=options.get("overrides", ()),
        documents=[{"filename": "bill.xlsx", "sha256": "ab" * 32}],
    )


def rich_certificate() -> bytes:
    view = rich_view()
    found = audit(view).findings
    hit = next(f for f in found if f.index >= 0 and f.grade == "red")
    position = view.positions[hit.index]
    decided = Override(hit.rule_id, position.content_hash, position.decided_as, "So it was agreed.")
    return content_of(view, overrides=[decided], precision={"C03": D("0.75")}, thresholds={"C02.spread": D("0.1")})


def test_a_certificate_is_replayed_to_the_same() -> None:
    content = rich_certificate()
    found = replay(content)
    assert (found.problem, found.differences, found.is_equal) == ("", (), True)
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert replay(packed(content)).is_equal
    assert read_certificate(content).documents == [{"filename": "bill.xlsx", "sha256": "ab" * 32}]


@settings(max_examples=25, deadline=None)
@given(st.lists(POSITIONS, max_size=8))
def test_any_budget_s_certificate_is_replayed_to_the_same(rows: list[dict[str, Any]]) -> None:
    assert replay(content_of(_budget(rows).view)).is_equal


def test_another_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    program = (
        "import hashlib; from tests.projects.audit.test_certificate import rich_certificate;"
        "print(hashlib.sha256(rich_certificate()).hexdigest())"
    )
    seen = {hashlib.sha256(rich_certificate()).hexdigest()}
    for seed, locale in (("1", "C"), ("4242", "cs_CZ.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": "Asia/Tokyo"}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout.strip())
    assert len(seen) == 1


def test_nothing_in_it_says_when_or_where() -> None:
    content = rich_certificate()
    assert content == rich_certificate()
    assert packed(content)[4:8] == b"\0\0\0\0"
    assert str(ROOT).encode() not in content


def test_a_changed_digit_is_found() -> None:
    content = rich_certificate()
    place = content.index(b'"unit"') + 40
    digit = next(i for i in range(place, len(content)) if content[i : i + 1].isdigit())
    changed = content[:digit] + (b"7" if content[digit : digit + 1] != b"7" else b"8") + content[digit + 1 :]
    found = replay(changed)
    assert not found.is_equal
    assert found.problem


@pytest.mark.parametrize(("part", "of"), [("inputs", "positions"), ("results", "positions"), ("given", "thresholds")])
def test_a_change_that_was_sealed_again_is_found_by_the_replay(part: str, of: str) -> None:
    data = json.loads(rich_certificate())
    if of == "positions":
        row = data[part][of][0]
        names = data["inputs"]["fields"]
        if part == "inputs":
            row[names.index("unit_price")] = "123456"
        else:
            row[3] = "amber" if row[3] != "amber" else "green"
    else:
        data[part][of]["C03.min_group"] = "3"
    data["sha256"][part] = hashlib.sha256(canonical(data[part])).hexdigest()
    found = replay(orjson.dumps(data))
    assert not found.is_equal
    assert found.differences


def test_rules_of_another_version_are_told_not_replayed() -> None:
    data = json.loads(rich_certificate())
    data["given"]["rules"]["V07"] = 99
    data["sha256"]["given"] = hashlib.sha256(canonical(data["given"])).hexdigest()
    found = replay(orjson.dumps(data))
    assert not found.is_equal
    assert "V07 99 there, 1 here" in found.problem


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\x1f\x8bnot gzip", b'{"format": "plumbline-audit-certificate/2"}',
     gzip.compress(b"{}")[:-3], b'{"format": 5, "sha256": 5}'],
    ids=["empty", "object", "list", "null", "broken gzip", "without parts", "cut off", "odd"],
)  # fmt: skip
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    found = replay(content)
    assert not found.is_equal
    assert found.problem


def test_a_certificate_sealed_around_nonsense_is_refused() -> None:
    data = json.loads(rich_certificate())
    for name in ("inputs", "given"):
        data[name] = {"fields": data["inputs"]["fields"], "rules": []}
        data["sha256"][name] = hashlib.sha256(canonical(data[name])).hexdigest()
    assert "can't be read" in replay(orjson.dumps(data)).problem


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    return subprocess.run(
        [sys.executable, "manage.py", "replay_certificate", *arguments],
        cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_needs_no_services(tmp_path: Path) -> None:
    path = tmp_path / "certificate.json.gz"
    path.write_bytes(packed(rich_certificate()))
    done = command(str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_equal"] is True
    path.write_bytes(b"nothing of the kind")
    done = command(str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no certificate" in done.stderr
    assert command(str(tmp_path / "missing")).returncode == 1
