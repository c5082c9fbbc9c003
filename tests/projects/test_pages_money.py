"""Charts of money: at stake by role, codes at several prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from projects.models import Finding, Project
from projects.models.findings import Role
from projects.services.overrides import override_finding
from tests.factories.projects import make_position, make_project
from tests.projects.pages import queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


def finding(project: Project, role: str, grade: str, money: int) -> Finding:
    return Finding.objects.create(
        project=project, position=rows_of(project)[0], version_number=1, role=role, rule_id=f"X{money}", rule_version=1,
        grade=grade, confidence=Decimal(1), reasoning="Because.", money_at_stake=money,
    )  # fmt: skip


def test_money_at_stake_is_told_by_role_without_what_was_overridden(project: Project, owner: User) -> None:
    finding(project, "cost", "red", 100)
    finding(project, "cost", "amber", 20)
    finding(project, "cost", "info", 7)
    finding(project, "standards", "red", 3)
    over = finding(project, "standards", "red", 1000)
    override_finding(finding_id=over.pk, actor=owner, decision="overridden", reason="As agreed")
    told = signed_in(owner).get(url("stake-json", project.pk)).json()
    by = dict(zip(told["labels"], zip(told["series"]["red"], told["series"]["amber"], strict=True), strict=True))
    assert [Decimal(amount) for amount in by[Role.COST.label]] == [100, 20]
    assert [Decimal(amount) for amount in by[Role.STANDARDS.label]] == [3, 0]


def test_a_code_at_several_prices_is_told_with_what_it_costs(project: Project, owner: User) -> None:
    for number, (code, price) in enumerate([("274313611", 100), ("274313611", 150), ("274313611", 120), ("777", 5)]):
        make_position(
            project, number=f"9{number}", code=code, unit="m3", unit_price=Decimal(price), quantity=Decimal(2)
        )
    told = signed_in(owner).get(url("spread-json", project.pk)).json()
    [bar] = [each for each in told["bars"] if each["label"].startswith("274313611")]
    assert [Decimal(bar[key]) for key in ("lowest", "median", "highest")] == [100, 120, 150] and bar["positions"] == 3
    assert not any(each["label"].startswith("777") for each in told["bars"])
    page = signed_in(owner).get(url("charts", project.pk)).content.decode()
    assert "140.00" in page  # 2 m3 at 50 and 2 m3 at 20 above the lowest


def test_strangers_see_neither(project: Project, stranger: User) -> None:
    for name in ("stake-json", "spread-json"):
        assert signed_in(stranger).get(url(name, project.pk)).status_code == 404


def test_queries_do_not_grow(project: Project, owner: User) -> None:
    few = queries(signed_in(owner), url("charts", project.pk))
    for number in range(50):
        make_position(project, number=f"8{number}", code="555555555", unit="m3", unit_price=Decimal(1 + number))
        finding(project, "cost", "red", number)
    assert queries(signed_in(owner), url("charts", project.pk)) <= few


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_the_page_for_paper_has_findings_and_sections(project: Project, owner: User) -> None:
    finding(project, "cost", "red", 100)
    over = finding(project, "cost", "red", 999)
    override_finding(finding_id=over.pk, actor=owner, decision="overridden", reason="As agreed")
    page = signed_in(owner).get(url("print", project.pk)).content.decode()
    assert "X100" in page and "X999" not in page and "Cost by section" in page
    assert "Nothing to print yet" not in page


def test_an_empty_project_has_nothing_to_print(owner: User, stranger: User) -> None:
    empty = make_project(owner)
    assert "Nothing to print yet" in signed_in(owner).get(url("print", empty.pk)).content.decode()
    assert signed_in(stranger).get(url("print", empty.pk)).status_code == 404


def test_paper_takes_no_query_a_finding(project: Project, owner: User) -> None:
    finding(project, "cost", "red", 1)
    few = queries(signed_in(owner), url("print", project.pk))
    for number in range(50):
        finding(project, "cost", "red", 2 + number)
    assert queries(signed_in(owner), url("print", project.pk)) <= few
