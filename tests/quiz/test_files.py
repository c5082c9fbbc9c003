"""Files of questions and clauses: into a bank, out of it, and what they say of what they can't take."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from quiz.exceptions import BankRefused, NotAQuestionFile
from quiz.exchange import read
from quiz.models import Bank, Citation, Clause, Edition, Question, SyncRejection, SyncRun
from quiz.services import banks, files
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db

GIFT = """
// question: 1  name: Rust
::Rust:: Steel rusts. {TRUE}

::Preheat:: What comes first? {=Preheat ~Peen ~Grind}

::Essay:: Write about welds. {}

::Broken:: What now? {~one ~two}
"""
CSV = """id,correct,question,refs,a,b,c,d
T1,B,At what preheat is it welded?,[4.1(a)],10 °C,20 °C,30 °C,40 °C
T2,A,What joins plates?,,A weld,A nail,Glue,Nothing
"""
CLAUSES = "number,title,text\n4,Welding,\n4.1,Preheat,Welds shall be preheated.\n4.2,Cooling,Slowly.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"pool.gift": GIFT, "pool.csv": CSV, "clauses.csv": CLAUSES}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(capsys: Any, name: str, *arguments: object) -> dict[str, Any]:
    call_command(name, *map(str, arguments), "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_a_file_is_read_once_and_says_what_it_could_not_take(folder: Path, capsys: Any) -> None:
    told = run(capsys, "import_questions", folder / "pool.gift", "--bank", "Pool")
    assert told == {
        "read": 4, "created": 2, "updated": 0, "unchanged": 0, "rejected": 2, "unsupported": {"essay": 1},
        "format": "gift", "bank": "Pool", "remarks": [],
    }  # fmt: skip
    assert set(SyncRejection.objects.values_list("code", "record_id")) == {
        ("essay", "pool.gift#3"),
        (SyncRejection.objects.get(record_id="pool.gift#4").code, "pool.gift#4"),
    }
    again = run(capsys, "import_questions", folder / "pool.gift", "--bank", "Pool")
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, 2, 2)
    assert SyncRejection.objects.count() == 2, "still the same: not told a second time"
    done = SyncRun.objects.first()
    assert done is not None
    assert (done.kind, done.status, done.format, done.fetched) == ("file", "completed", "gift", 4)


def test_a_mended_file_settles_what_was_rejected_of_it(folder: Path, capsys: Any) -> None:
    run(capsys, "import_questions", folder / "pool.gift", "--bank", "Pool")
    (folder / "pool.gift").write_text(GIFT.replace("~one", "=one"), encoding="utf-8")
    told = run(capsys, "import_questions", folder / "pool.gift", "--bank", "Pool")
    assert (told["created"], told["rejected"]) == (1, 1)
    assert SyncRejection.objects.unresolved().get().code == "essay"


def test_a_file_without_one_question_is_an_error_and_writes_none(folder: Path) -> None:
    (folder / "none.gift").write_text("::Essay:: Write about welds. {}\n", encoding="utf-8")
    with pytest.raises(CommandError, match="no question in this file"):
        call_command("import_questions", str(folder / "none.gift"))
    with pytest.raises(CommandError, match="no file") as missing:
        call_command("import_questions", str(folder / "nowhere.gift"))
    assert missing.value.returncode == 2
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(CommandError):
        call_command("import_questions", str(folder / "noise.bin"))
    assert not Question.objects.exists()
    assert set(SyncRun.objects.values_list("status", "created")) == {("failed", 0)}


def test_an_id_that_comes_twice_is_rejected(folder: Path, capsys: Any) -> None:
    (folder / "twice.csv").write_text(CSV + "T1,A,Another one?,,A,B,C,D\n", encoding="utf-8")
    told = run(capsys, "import_questions", folder / "twice.csv")
    assert (told["read"], told["created"], told["rejected"]) == (3, 2, 1)
    assert SyncRejection.objects.get().code == "duplicate_id"


def test_editions_of_a_pool_stand_beside_each_other(folder: Path, capsys: Any) -> None:
    run(capsys, "import_questions", folder / "pool.csv", "--bank", "Pool", "--edition", "2022")
    told = run(capsys, "import_questions", folder / "pool.csv", "--bank", "Pool", "--edition", "2026")
    assert told["created"] == 2
    assert sorted(Question.objects.values_list("edition", "external_id")) == [
        ("2022", "T1"), ("2022", "T2"), ("2026", "T1"), ("2026", "T2")
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["out.json", "out.csv", "out.gift", "out.xml", "out.zip"])
def test_what_is_exported_is_read_back_as_unchanged(folder: Path, capsys: Any, name: str) -> None:
    run(capsys, "import_questions", folder / "pool.csv", "--bank", "Pool")
    told = run(capsys, "export_questions", folder / name, "--bank", "Pool")
    assert (told["written"], told["losses"]) == (2, [])
    again = run(capsys, "import_questions", folder / name, "--bank", "Pool")
    assert (again["read"], again["unchanged"]) == (2, 2)


def test_an_export_leaves_out_what_is_retired_and_refuses_what_it_can_not_do(folder: Path, capsys: Any) -> None:
    run(capsys, "import_questions", folder / "pool.csv", "--bank", "Pool")
    Question.objects.filter(external_id="T1").update(retired_at="2026-01-01T00:00:00Z")
    content = io.BytesIO()
    bank = Bank.objects.get()
    assert files.export_questions(bank=bank, format="json", stream=content)[0] == 1
    assert [item.external_id for item in read(io.BytesIO(content.getvalue()))] == ["T2"]  # type: ignore[union-attr]
    with pytest.raises(NotAQuestionFile):
        files.export_questions(bank=bank, format="docx", stream=content)
    with pytest.raises(BankRefused):
        files.export_questions(bank=bank, format="json", stream=content, edition="1999")


def test_clauses_of_a_new_edition_are_cited_from_then_on(folder: Path, capsys: Any) -> None:
    run(capsys, "import_questions", folder / "pool.csv", "--bank", "Pool")
    assert not Citation.objects.exists()
    told = run(capsys, "import_clauses", folder / "clauses.csv", "--standard", "AWS D1.1", "--edition", "2020")
    assert {name: told[name] for name in ("read", "created", "citations", "is_current")} == {
        "read": 3, "created": 3, "citations": 1, "is_current": True
    }  # fmt: skip
    old = Citation.objects.get().clause
    assert old.parent is not None
    assert (old.number, old.parent.number) == ("4.1", "4")
    again = run(capsys, "import_clauses", folder / "clauses.csv", "--standard", "AWS D1.1", "--edition", "2020")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    arguments = (folder / "clauses.csv", "--standard", "AWS D1.1", "--edition", "2025")
    assert run(capsys, "import_clauses", *arguments)["is_current"] is False
    assert Citation.objects.get().clause_id == old.pk
    assert run(capsys, "import_clauses", *arguments, "--current")["is_current"] is True
    assert Citation.objects.get().clause.edition.name == "2025"
    assert Edition.objects.filter(is_current=True).count() == 1


def test_an_edition_is_what_its_file_says(folder: Path, capsys: Any) -> None:
    arguments = (folder / "clauses.csv", "--standard", "AWS D1.1", "--edition", "2025")
    run(capsys, "import_clauses", *arguments)
    changed = CLAUSES.replace("4.2,Cooling,Slowly.\n", "").replace("be preheated", "always be preheated")
    (folder / "clauses.csv").write_text(changed + "4.3,Peening,Never.\n", encoding="utf-8")
    told = run(capsys, "import_clauses", *arguments)
    assert {name: told[name] for name in ("created", "updated", "unchanged", "removed")} == {
        "created": 1, "updated": 1, "unchanged": 1, "removed": 1
    }  # fmt: skip
    assert list(Clause.objects.values_list("number", flat=True)) == ["4", "4.1", "4.3"]
    (folder / "clauses.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(CommandError, match="number"):
        call_command("import_clauses", *map(str, arguments))


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_read_by_a_job() -> None:
    staff = User.objects.create_superuser("keeper@example.com", "a long password")
    bank = banks.bank_named(name="Pool")
    file = ContentFile(GIFT.encode(), name="pool.gift")
    waiting, job = files.start_import(bank_id=bank.pk, file=file, filename="../pool.gift", actor=staff)
    assert (waiting.status, waiting.filename) == ("queued", "pool.gift")
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.COMPLETED, job.error
    waiting.refresh_from_db()
    assert (waiting.status, waiting.created, waiting.rejected) == ("completed", 2, 2)


def test_a_stranger_imports_nothing() -> None:
    from quiz.exceptions import BankMissing

    bank = banks.bank_named(name="Pool")
    file = ContentFile(GIFT.encode(), name="pool.gift")
    with pytest.raises(BankMissing):
        files.start_import(bank_id=bank.pk, file=file, filename="pool.gift", actor=make_user("stranger"))
