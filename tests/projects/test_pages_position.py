"""One position: its findings by role, decisions on them, edits, conflicts, history."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from projects.models import BudgetVersion, Finding, FindingOverride, Position, Project
from projects.services.editing import delete_position, edit_position
from tests.factories.projects import make_finding, make_position, make_positions, make_project, make_verdict
from tests.projects.pages import HTMX, queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


def form_of(row: Position, **changes: object) -> dict[str, object]:
    """The edit form as a browser sends it."""
    values = {name: getattr(row, name) or "" for name in ("number", "code", "description", "unit", "category")}
    values |= {"quantity": row.quantity, "unit_price": row.unit_price, "kind": row.kind, "billing": row.billing}
    return values | {"seen": row.pk} | changes


def current(project: Project, row: Position) -> Position:
    return Position.objects.get(project=project, lineage=row.lineage, removed_in__isnull=True)


def test_shows_what_each_role_says_with_its_evidence(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    for role in ("Validator", "Cost", "Structural", "Concrete", "Standards", "Orchestrator"):
        assert f'aria-label="{role}"' in page
    assert "Negative quantity or price" in page  # the rule's title
    assert "The unit price is negative outside a deduction." in page
    assert "<dt>Unit price</dt><dd>-10</dd>" in page and "<dt>Threshold</dt><dd>0</dd>" in page
    assert "Ask the author." in page and "Paid twice." in page
    assert "bill.xlsx" in page and "SO 1!A11" in page
    assert page.count("no rule applies") == 4  # the verdict names validator and cost only


def test_what_could_not_be_checked_is_shown_with_its_reason(owner: User) -> None:
    project = make_project(owner)
    row = make_position(project)
    make_verdict(row, "amber", roles={"validator": "not_checked"}, not_checked=["V09"])
    make_finding(row, rule_id="V09", grade="not_checked", reasoning="the sheet can't be evaluated: a figure is missing")
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    assert "Not checked: the sheet can&#x27;t be evaluated: a figure is missing" in page
    assert "Decide" not in page


def test_contradicting_findings_name_each_other_and_who_prevails(owner: User) -> None:
    project = make_project(owner)
    row = make_position(project)
    make_verdict(row)
    law = make_finding(row, rule_id="B03", role="concrete")
    make_finding(row, rule_id="C04", role="cost", conflicts_with=law, resolution="B03 prevails over C04: law first.")
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    assert "Contradicts B03." in page and "B03 prevails over C04: law first." in page


def test_related_positions_are_linked(owner: User) -> None:
    project = make_project(owner)
    one, other = make_positions(project, 2)
    make_verdict(one)
    make_finding(one, evidence={"related_positions": [{"key": str(other.pk), "number": "2"}]})
    page = signed_in(owner).get(url("position", project.pk, one.lineage)).content.decode()
    assert url("position", project.pk, other.lineage) in page


def test_the_measure_sheet_is_evaluated_line_by_line(owner: User) -> None:
    project = make_project(owner)
    sheet = [["2*1,5", "expression", "3", "", False], ["součet", "subtotal", "3", "", True]]
    right = make_position(project, quantity=Decimal(3), measure=sheet)
    wrong = make_position(project, quantity=Decimal(4), measure=sheet)
    client = signed_in(owner)
    assert ">Agrees<" in client.get(url("position", project.pk, right.lineage)).content.decode()
    page = client.get(url("position", project.pk, wrong.lineage)).content.decode()
    assert ">Differs<" in page and "it comes to 3 m3; the position states 4." in page


def test_htmx_gets_the_position_without_the_page_around_it(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    answer = signed_in(owner).get(url("position", project.pk, row.lineage), headers=HTMX)
    assert "<html" not in answer.content.decode() and 'id="position"' in answer.content.decode()


def test_many_findings_take_no_more_queries_than_one(owner: User) -> None:
    project = make_project(owner)
    few, many, *others = make_positions(project, 52)
    for row in (few, many):
        make_verdict(row)
    make_finding(few, evidence={"related_positions": [{"key": str(many.pk), "number": "2"}]})
    for other in others:
        make_finding(many, evidence={"related_positions": [{"key": str(other.pk), "number": other.number}]})
    client = signed_in(owner)
    assert queries(client, url("position", project.pk, many.lineage)) == queries(
        client, url("position", project.pk, few.lineage)
    )


# --- decisions -------------------------------------------------------------------------------------------------------


def test_an_overridden_finding_no_longer_counts(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    finding = Finding.objects.get(position=row)
    answer = signed_in(owner).post(
        url("finding-override", project.pk, finding.pk),
        {"decision": "overridden", "reason": "Agreed with the author."},
        headers=HTMX,
    )
    page = answer.content.decode()
    assert "Agreed with the author." in page and "Take the decision back" in page
    assert "project-changed" in answer["HX-Trigger"] and "V06 no longer counts." in answer["HX-Trigger"]
    row.verdict.refresh_from_db()
    assert row.verdict.grade == "green"
    assert FindingOverride.objects.get().by == owner


def test_a_decision_taken_back_counts_again_and_stays_on_record(project: Project, owner: User, member: User) -> None:
    row = rows_of(project)[0]
    finding = Finding.objects.get(position=row)
    decision = {"decision": "overridden", "reason": "Agreed with the author."}
    signed_in(owner).post(url("finding-override", project.pk, finding.pk), decision)
    answer = signed_in(member).post(url("finding-withdraw", project.pk, finding.pk))
    assert answer["Location"] == url("position", project.pk, row.lineage)
    row.verdict.refresh_from_db()
    assert row.verdict.grade == "red"
    assert FindingOverride.objects.get().withdrawn_at is not None


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"decision": "overridden", "reason": "ok"}, "Say why"),
        ({"decision": "maybe", "reason": "Long enough."}, "Choose whether"),
        ({}, "Choose whether"),
    ],
)
def test_a_decision_needs_a_choice_and_a_reason(
    project: Project, owner: User, sent: dict[str, str], message: str
) -> None:
    finding = Finding.objects.get(position=rows_of(project)[0])
    answer = signed_in(owner).post(url("finding-override", project.pk, finding.pk), sent, headers=HTMX)
    assert answer.status_code == 400
    assert message in answer.content.decode()
    assert answer["X-Refused"]  # the page shows it where it was asked
    assert not FindingOverride.objects.exists()


def test_deciding_twice_is_a_conflict(project: Project, owner: User) -> None:
    finding = Finding.objects.get(position=rows_of(project)[0])
    decision = {"decision": "accepted", "reason": "It is as the client wants it."}
    client = signed_in(owner)
    assert client.post(url("finding-override", project.pk, finding.pk), decision, headers=HTMX).status_code == 200
    assert client.post(url("finding-override", project.pk, finding.pk), decision, headers=HTMX).status_code == 409


# --- edits -----------------------------------------------------------------------------------------------------------


def test_an_edit_makes_a_version_with_its_reason(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    sent = form_of(row, unit_price="1 234,50", reason="New offer")
    answer = signed_in(owner).post(url("position-edit", project.pk, row.lineage), sent, headers=HTMX)
    assert answer.status_code == 200 and "Saved as version 2." in answer["HX-Trigger"]
    assert current(project, row).unit_price == Decimal("1234.5")
    assert current(project, row).total == Decimal("2469.00")
    version = BudgetVersion.objects.get(project=project, number=2)
    assert (version.created_by, version.trigger_details["reason"]) == (owner, "New offer")
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    assert "New offer" in page and "<del>10</del> <ins>1,234.5</ins>" in page


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("12.5", "12.5"), ("12,5", "12.5"), ("1 234,50", "1234.5"), ("1,234.50", "1234.5"), ("1.234,50", "1234.5"),
     ("1,234,567", "1234567"), ("−3", "-3")],
)  # fmt: skip
def test_numbers_are_understood_as_people_write_them(project: Project, owner: User, typed: str, stored: str) -> None:
    row = rows_of(project)[0]
    signed_in(owner).post(url("position-edit", project.pk, row.lineage), form_of(row, quantity=typed))
    assert current(project, row).quantity == Decimal(stored)


@pytest.mark.parametrize("typed", ["abc", "1.2.3.4", "NaN", "Infinity", "1e40", "9" * 40, "1.23456"])
def test_what_is_no_number_is_refused_in_place(project: Project, owner: User, typed: str) -> None:
    row = rows_of(project)[0]
    sent = form_of(row, unit_price=typed)
    answer = signed_in(owner).post(url("position-edit", project.pk, row.lineage), sent, headers=HTMX)
    assert answer.status_code == 422 and answer["X-Refused"] == "form"
    assert f'value="{typed}"' in answer.content.decode()  # what was typed is not lost
    assert current(project, row).pk == row.pk


def test_saving_without_a_change_is_refused(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    answer = signed_in(owner).post(url("position-edit", project.pk, row.lineage), form_of(row), headers=HTMX)
    assert answer.status_code == 400 and "changes nothing" in answer.content.decode()
    assert BudgetVersion.objects.filter(project=project).count() == 1


def test_line_ends_of_a_browser_are_no_change(project: Project, owner: User) -> None:
    row = make_position(project, description="First line\nsecond line")
    sent = form_of(row, description="First line\r\nsecond line")
    answer = signed_in(owner).post(url("position-edit", project.pk, row.lineage), sent, headers=HTMX)
    assert answer.status_code == 400 and "changes nothing" in answer.content.decode()


def test_two_people_who_edit_one_position_see_both_values(project: Project, owner: User, member: User) -> None:
    row = rows_of(project)[0]
    signed_in(owner).post(url("position-edit", project.pk, row.lineage), form_of(row, unit_price="351"))
    sent = form_of(row, unit_price="360.50", unit="m2")
    answer = signed_in(member).post(url("position-edit", project.pk, row.lineage), sent, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Theirs, in the budget now: <strong>351</strong>" in page and "Yours: <strong>360.5</strong>" in page
    assert current(project, row).unit_price == Decimal(351)  # nothing of the first edit is lost

    latest = current(project, row)
    choice = {"seen": latest.pk, "keep_unit_price": "theirs", "unit_price": "360.50", "keep_unit": "mine", "unit": "m2"}
    answer = signed_in(member).post(url("position-resolve", project.pk, row.lineage), choice, headers=HTMX)
    assert answer.status_code == 200
    assert (current(project, row).unit_price, current(project, row).unit) == (Decimal(351), "m2")


def test_leaving_theirs_everywhere_changes_nothing(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    choice = {"seen": row.pk, "keep_unit_price": "theirs", "unit_price": "360.50"}
    answer = signed_in(owner).post(url("position-resolve", project.pk, row.lineage), choice, headers=HTMX)
    assert answer.status_code == 200 and "nothing was changed" in answer["HX-Trigger"]
    assert BudgetVersion.objects.filter(project=project).count() == 1


@pytest.mark.parametrize("seen", ["", "x", "-1", "99999999999999999999", "0"])
def test_an_edit_must_say_what_it_was_based_on(project: Project, owner: User, seen: str) -> None:
    row = rows_of(project)[0]
    answer = signed_in(owner).post(url("position-edit", project.pk, row.lineage), form_of(row, seen=seen), headers=HTMX)
    assert answer.status_code == 400 and "which state of the position" in answer.content.decode()


def test_a_deleted_position_says_so_and_keeps_its_history(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    answer = signed_in(owner).post(
        url("position-delete", project.pk, row.lineage), {"seen": row.pk, "reason": "Twice in the bill"}, headers=HTMX
    )
    assert "Deleted in version 2." in answer.content.decode()
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    assert "Twice in the bill" in page
    assert url("position-edit", project.pk, row.lineage) not in page
    assert signed_in(owner).get(url("position-edit", project.pk, row.lineage)).status_code == 404


def test_deleting_what_somebody_has_just_changed_is_a_conflict(project: Project, owner: User, member: User) -> None:
    row = rows_of(project)[0]
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"unit_price": Decimal(1)}
    )
    answer = signed_in(member).post(url("position-delete", project.pk, row.lineage), {"seen": row.pk}, headers=HTMX)
    assert answer.status_code == 409 and "Someone changed this position" in answer.content.decode()
    assert current(project, row).unit_price == Decimal(1)


def test_adds_a_position_at_the_end_of_its_section(project: Project, owner: User) -> None:
    sent = {
        "place": "SO 1|HSV Práce a dodávky HSV › 1 Zemní práce",
        "description": "Extra scaffold",
        "unit": "m2",
        "quantity": "10",
        "unit_price": "12,50",
        "kind": "work",
        "billing": "normal",
    }
    answer = signed_in(owner).post(url("position-add", project.pk), sent)
    row = Position.objects.get(project=project, description="Extra scaffold")
    assert answer["Location"] == url("position", project.pk, row.lineage)
    assert (row.object_code, row.object_name, row.section) == ("SO 1", "Main building", rows_of(project)[0].section)
    assert (row.total, row.origin) == (Decimal("125.00"), Position.Origin.MANUAL)
    assert rows_of(project)[-1].pk == row.pk


def test_a_new_position_needs_a_description_and_a_section_that_exists(project: Project, owner: User) -> None:
    sent = {"description": " ", "kind": "work", "billing": "normal", "place": "SO 9|nowhere"}
    answer = signed_in(owner).post(url("position-add", project.pk), sent, headers=HTMX)
    assert answer.status_code == 422
    assert answer.content.decode().count("field-error") == 2


def test_history_tells_deletion_and_return(project: Project, owner: User) -> None:
    from projects.services.versions import restore_version

    row = rows_of(project)[0]
    delete_position(project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk)
    restore_version(project_id=project.pk, number=1, actor=owner)
    page = signed_in(owner).get(url("position", project.pk, row.lineage)).content.decode()
    order = [page.index(f"<strong>{word}</strong>") for word in ("Restored", "Deleted", "Added")]
    assert order == sorted(order)
    old = signed_in(owner).get(f"{url('position', project.pk, row.lineage)}?version=1").content.decode()
    assert "This is history" in old
    assert signed_in(owner).get(f"{url('position', project.pk, row.lineage)}?version=2").status_code == 404
