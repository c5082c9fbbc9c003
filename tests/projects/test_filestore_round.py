"""Whatever a folder holds and whatever is done to its project: in, out and in again is the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from projects.exceptions import Refused
from projects.models import FileProject, Position, Project
from projects.services.editing import add_position, delete_position, edit_position
from projects.services.filestore.leaving import export_store
from projects.services.filestore.migrating import MigrationOptions, migrate_store, owner_in
from projects.services.filestore.verifying import verify_store
from tests.factories.folders import bytes_of, state, write_folder
from tests.factories.running import forget_folders

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FIGURE = (
    st.none() | st.integers(-1000, 10**6) | st.floats(-1e4, 1e6, allow_nan=False)
    | st.decimals("-100", "1e5", places=3).map(lambda d: str(d).replace(".", ",")) | st.just("") | st.just("n/a")
)  # fmt: skip
ENTRIES = st.fixed_dictionaries(
    {"description": TEXT},
    optional={
        "number": TEXT | st.integers(1, 4), "id": TEXT, "code": TEXT, "unit": TEXT, "mj": TEXT, "quantity": FIGURE,
        "qty": FIGURE, "unit_price": FIGURE, "total_price": FIGURE, "section": TEXT, "object": TEXT, "note": TEXT,
        "type": st.sampled_from(["M", "material", "work", 7]), "price_system": st.sampled_from(["CS ÚRS 2025 01", "x"]),
        "extra": st.recursive(TEXT | st.integers() | st.booleans() | st.none(), lambda x: st.lists(x, max_size=2)),
    },
)  # fmt: skip
LISTS = st.lists(ENTRIES | st.sampled_from(["noise", 3]), max_size=6)
WRAPPED = st.fixed_dictionaries(
    {"positions": LISTS}, optional={"total_positions": st.integers(0, 9), "total_cost": FIGURE, "currency": TEXT}
)
PROJECTS = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT, "project_name": TEXT, "workflow": st.sampled_from(["A", "b", "workflow_b", "C", 1]),
        "description": TEXT, "currency": st.sampled_from(["CZK", "eur", "money"]), "status": TEXT,
        "uploaded_at": st.sampled_from(["2025-10-27T19:15:25.630180", "yesterday"]), "unknown": TEXT | st.integers(),
        "budget_date": st.sampled_from(["2025-09-01", "soon"]), "files": st.none() | st.lists(TEXT, max_size=1),
    },
)  # fmt: skip
NAMES = st.sampled_from(
    ["raw/vykresy/a.pdf", "raw/b.xml", "raw/x/y/c", "artifacts/d.json", "audit_results.json", "log"]
)
FILES = st.dictionaries(NAMES, st.binary(max_size=20), max_size=4)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["edit", "add", "delete"]),
        st.integers(0, 9),
        st.none() | st.decimals("-1000", "1000", places=4),
        st.none() | st.decimals("0", "1000", places=4),
        st.sampled_from(["normal", "alternative", "optional", "surcharge"]),
        TEXT.map(lambda text: text.replace("\x00", "")),
    ),
    max_size=4,
)


def quiet(done: int, total: int, message: str) -> None:
    """Nobody looks on."""


def migrated(store: Path, owner: User) -> list[str]:
    options = MigrationOptions(owner=owner_in(user=owner))
    return [row.state or row.error for row in migrate_store(root=store, options=options, report=quiet)]


def act(project: Project, owner: User, step: Any) -> None:
    what, place, quantity, price, billing, text = step
    live = Position.objects.filter(project=project, removed_in=None).order_by("ordinal")
    row = live[place % live.count()] if live.exists() else None
    fields = {"quantity": quantity, "unit_price": price, "billing": billing}
    try:
        if what == "add":
            add_position(project_id=project.pk, actor=owner, fields=fields | {"description": text, "category": text})
        elif row is not None and what == "edit":
            changes = fields | {"unit": text.strip()[:40] or None}
            edit_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes=changes)
        elif row is not None:
            delete_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk)
    except Refused:
        return


@given(project=PROJECTS, positions=st.none() | LISTS | WRAPPED, files=FILES, steps=STEPS)
@hypothesis_settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
def test_in_out_and_in_again_is_the_same(
    project: Any, positions: Any, files: dict[str, bytes], steps: Any, owner: User, tmp_path: Path
) -> None:
    forget_folders()
    for name in ("store", "out", "again"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    write_folder(tmp_path / "store", "p", project=json.dumps(project).encode(), positions=positions, files=files)

    assert migrated(tmp_path / "store", owner) == ["migrated"]
    found = list(verify_store(root=tmp_path / "store", report=quiet))
    assert [(row.state, row.differences) for row in found] == [("equal", [])]
    [row] = export_store(root=tmp_path / "out", report=quiet)
    assert (row.state, row.error) == ("written", "")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "store")

    for step in steps:
        act(FileProject.objects.select_related("project").get().project, owner, step)  # type: ignore[arg-type]
    [row] = export_store(root=tmp_path / "again", report=quiet)
    assert (row.state, row.error, row.differences) == ("written", "", [])
    before = state()
    forget_folders()
    assert migrated(tmp_path / "again", owner) == ["migrated"]
    assert state() == before
