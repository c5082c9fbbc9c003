"""`manage.py audit_file`: what it prints, what it refuses, and that it needs nothing but the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from jobs.models import Job
from projects.demo.gaeb import bid_xml, tender_xml
from projects.demo.people import OWNER_EMAIL
from projects.demo.sports_hall import HALL
from projects.models import Finding, Position, Project
from projects.services.terminal import stored_audit
from tests.factories.bills import GivenPosition, write_csv, write_kros
from tests.factories.imports import given_bill
from tests.factories.people import make_user

KEYS = {"dialect", "positions", "total", "currency", "grades", "findings", "not_checked", "seconds"}
DIG = GivenPosition(
    "1", "Odkopávky v hornině třídy těžitelnosti I", "m3", Decimal("123"), Decimal("29.10"), "121151113"
)
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku", "", Decimal("10.5"), Decimal("900"), "451573111")
BILL = given_bill(DIG, BED)
CLOSED = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    write_kros(tmp_path / "bill.xlsx", BILL)
    return tmp_path / "bill.xlsx"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A tender and its bid."""
    tender, bid = tmp_path / "hall.x83", tmp_path / "hall.x84"
    tender.write_bytes(tender_xml(HALL))
    bid.write_bytes(bid_xml(HALL))
    return tender, bid


def manage(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, in which neither database nor Redis can be reached."""
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env=os.environ | CLOSED | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path, **options: Any) -> dict[str, Any]:
    call_command("audit_file", *map(str, arguments), json=True, **options)
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_a_file_is_audited_without_database_and_redis(bill: Path) -> None:
    done = manage("audit_file", bill, "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value.keys() == KEYS
    assert (value["dialect"], value["positions"], value["total"], value["currency"]) == (
        "kros_xlsx", 2, "13029.30", "CZK",
    )  # fmt: skip
    assert value["grades"].keys() == {"green", "amber", "red", "not_checked"}
    assert sum(value["grades"].values()) == 2 and value["grades"]["red"] == 1
    assert value["seconds"] > 0
    worst = value["findings"][0]
    assert (worst["rule_id"], worst["role"], worst["grade"], worst["number"]) == ("V02", "validator", "red", "2")
    assert worst["description"] == BED.description and worst["money_at_stake"] == "9450.00"
    assert worst["reasoning"] and worst["source"]
    assert {"rule_id", "title", "reason", "positions"} == value["not_checked"][0].keys()
    assert done.stderr == ""


def test_people_get_the_same_in_words_and_progress_in_lines(bill: Path) -> None:
    done = manage("audit_file", bill)
    assert done.returncode == 0, done.stderr
    for expected in (
        "kros_xlsx",
        "13,029.30 CZK",
        "not checked",
        "V02",
        "SO 1 / 2",
        "The position has no unit of measure.",
    ):
        assert expected in done.stdout
    assert "Auditing position 2/2" in done.stderr
    assert "\x1b[" not in done.stdout + done.stderr


def test_a_missing_file_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = manage("audit_file", tmp_path / "none.xlsx", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "file_not_found"
    assert done.stderr.count("\n") == 1 and "none.xlsx does not exist" in done.stderr


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"%PDF-1.7 drawing", b"\x00\x01\x02 nothing known"])
def test_a_file_that_is_no_bill_is_refused_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "bill.xlsx"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as exit_:
        call_command("audit_file", str(path), json=True)
    assert exit_.value.code == 1
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["code"] and len(error["message"]) > 20
    assert printed.err == f"audit_file: {error['message']}\n"


def test_a_bill_that_does_not_add_up_is_refused_until_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kros(tmp_path / "bill.xlsx", BILL, stated_total=Decimal("99999.00"))
    with pytest.raises(SystemExit):
        call_command("audit_file", str(tmp_path / "bill.xlsx"), json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "does_not_reconcile"
    assert told(capsys, tmp_path / "bill.xlsx", accept_difference=True)["total"] == "13029.30"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("bill.xlsx", "--owner", "somebody@example.com"),
        ("bill.xlsx", "--save", "--dialect", "kros_xlsx"),
        ("bill.xlsx", "--mapping", "no json"),
        ("bill.xlsx", "--unknown"),
    ],
)
def test_bad_usage_is_status_2(arguments: tuple[str, ...]) -> None:
    try:
        call_command("audit_file", *arguments)
    except CommandError as error:
        # What argparse refuses reaches a caller in this process as CommandError; the command line ends with 2.
        assert error.returncode == 2 or str(error).startswith("Error: ")
    else:
        pytest.fail("accepted")


def test_a_command_line_without_a_file_ends_with_status_2() -> None:
    assert manage("audit_file").returncode == 2


def test_a_bid_alone_has_prices_and_joined_to_its_tender_everything(
    pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tender, bid = pair
    alone = told(capsys, bid)
    assert (alone["dialect"], alone["positions"], alone["total"]) == ("gaeb_xml", 23, str(HALL.total))
    assert alone["grades"]["green"] == 0 and any(row["positions"] == 23 for row in alone["not_checked"])
    joined = told(capsys, bid, tender=tender)
    assert (joined["total"], joined["currency"]) == (str(HALL.total), "EUR")
    assert joined["grades"]["green"] > 15
    assert {"V07", "C01", "B03"} <= {finding["rule_id"] for finding in joined["findings"]}


def test_a_table_is_read_by_a_given_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bill.csv"
    path.write_text("a;b;c;d\nOdkopávky v hornině;m3;12,5;100,00\nZásyp se zhutněním;m3;4;250,00\n", encoding="utf-8")
    mapping = {
        "columns": {"description": 0, "unit": 1, "quantity": 2, "unit_price": 3},
        "delimiter": ";",
        "currency": "CZK",
    }
    value = told(capsys, path, mapping=json.dumps(mapping))
    assert (value["dialect"], value["positions"], value["total"], value["currency"]) == ("table", 2, "2250.00", "CZK")


def test_a_table_with_known_titles_needs_no_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "bill.csv", BILL)
    assert told(capsys, tmp_path / "bill.csv")["total"] == "13029.30"


def test_ten_findings_unless_all_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unmeasured = (
        GivenPosition(str(n), f"Položka číslo {n} bez jednotky", "", Decimal(n), Decimal(10), f"1211511{n:02}")
        for n in range(1, 15)
    )
    write_kros(tmp_path / "bill.xlsx", given_bill(*unmeasured))
    ten = told(capsys, tmp_path / "bill.xlsx")["findings"]
    every = told(capsys, tmp_path / "bill.xlsx", all=True)["findings"]
    assert len(ten) == 10 and len(every) >= 14 and every[:10] == ten
    amounts = [Decimal(finding["money_at_stake"]) for finding in every]
    assert amounts == sorted(amounts, reverse=True)


@pytest.mark.django_db(transaction=True)
def test_saving_makes_an_audited_project_of_the_named_owner(bill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    owner = make_user("estimator")
    unsaved = told(capsys, bill)
    assert not Project.objects.exists()
    saved = told(capsys, bill, save=True, owner=owner.email)

    project = Project.objects.get(owner=owner)
    assert saved["project"].endswith(f"/projects/{project.pk}/")
    assert (project.name, project.is_audited, project.total_positions) == ("bill", True, 2)
    assert saved.keys() == KEYS | {"project"}
    for key in ("dialect", "positions", "total", "currency", "grades"):
        assert saved[key] == unsaved[key]
    assert [f["rule_id"] for f in saved["findings"]] == [f["rule_id"] for f in unsaved["findings"]]
    assert set(Job.objects.values_list("kind", "status")) == {
        ("projects.parse_document", "completed"), ("projects.audit", "completed"),
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_saved_bid_is_joined_to_its_tender(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    owner = make_user("estimator")
    tender, bid = pair
    assert told(capsys, bid, tender=tender, save=True, owner=owner.email)["total"] == str(HALL.total)
    project = Project.objects.get()
    assert (project.version_number, project.total_cost, project.documents.count()) == (2, HALL.total, 2)


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_refused_says_so_when_saved_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_superuser("root@example.com", "secret")
    write_kros(tmp_path / "bill.xlsx", BILL, stated_total=Decimal("99999.00"))
    with pytest.raises(SystemExit) as exit_:
        call_command("audit_file", str(tmp_path / "bill.xlsx"), save=True, json=True)
    assert exit_.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "does_not_reconcile"
    assert not Position.objects.exists()


@pytest.mark.django_db
def test_an_unknown_owner_is_refused_before_anything_is_stored(bill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        call_command("audit_file", str(bill), save=True, owner="nobody@example.com", json=True)
    assert exit_.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "user_not_found"
    assert not Project.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_without_an_owner_the_demo_user_comes_before_the_first_superuser(
    bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call_command("audit_file", str(bill), save=True, json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no_owner"
    root = User.objects.create_superuser("root@example.com", "secret")
    told(capsys, bill, save=True)
    User.objects.filter(pk=make_user("demo").pk).update(email=OWNER_EMAIL)
    told(capsys, bill, save=True)
    assert list(Project.objects.order_by("created_at").values_list("owner__email", flat=True)) == [
        root.email, OWNER_EMAIL,
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_what_was_overridden_is_no_longer_told(bill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from projects.services.overrides import override_finding

    owner = make_user("estimator")
    told(capsys, bill, save=True, owner=owner.email)
    finding = Finding.objects.get(rule_id="V02")
    override_finding(finding_id=finding.pk, actor=owner, reason="Measured by the piece on site.")
    audit = stored_audit(project=Project.objects.get())
    assert "V02" not in {row["rule_id"] for row in audit.findings}
    assert audit.grades["red"] == 0
