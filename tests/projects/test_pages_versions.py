"""Versions: the list, what changed, reading and restoring; charts."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from accounts.models import User
from projects.models import BudgetVersion, Finding, Project
from projects.services.editing import edit_position
from projects.services.overrides import override_finding
from tests.factories.projects import make_position, make_project, make_version
from tests.projects.pages import queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


def raise_price(project: Project, actor: User) -> None:
    """Version 2: the first position, 2 m3, from 10 to 15 each."""
    row = rows_of(project)[0]
    edit_position(
        project_id=project.pk,
        lineage=row.lineage,
        actor=actor,
        seen=row.pk,
        changes={"unit_price": Decimal(15)},
        reason="<i>New</i> offer",
    )


def test_the_list_tells_who_changed_what_and_what_it_did_to_the_cost(project: Project, owner: User) -> None:
    raise_price(project, owner)
    page = signed_in(owner).get(url("versions", project.pk)).content.decode()
    assert "Version 2" in page and "Owner" in page and "&lt;i&gt;New&lt;/i&gt; offer" in page
    assert page.count("+10.00") == 2  # the change, all of it price
    assert "210.00" in page and "200.00" in page


def test_a_version_shows_before_and_after(project: Project, owner: User) -> None:
    raise_price(project, owner)
    page = signed_in(owner).get(url("version", project.pk, 2)).content.decode()
    assert "<del>10</del> <ins>15</ins>" in page
    assert "<del>20.00</del> <ins>30.00</ins>" in page
    assert "Restore" not in page  # it is the current one


def test_an_earlier_version_can_be_restored(project: Project, owner: User) -> None:
    raise_price(project, owner)
    assert "Restore" in signed_in(owner).get(url("version", project.pk, 1)).content.decode()
    answer = signed_in(owner).post(url("version-restore", project.pk, 1), follow=True)
    assert "The budget is as it was in version 1: this is version 3." in answer.content.decode()
    project.refresh_from_db()
    assert (project.version_number, project.total_cost) == (3, Decimal("200.00"))
    assert BudgetVersion.objects.get(project=project, number=3).trigger == BudgetVersion.Trigger.RESTORE


def test_restoring_what_is_already_so_is_refused(project: Project, owner: User) -> None:
    answer = signed_in(owner).post(url("version-restore", project.pk, 1))
    assert answer.status_code == 400 and "changes nothing" in answer.content.decode()
    assert signed_in(owner).post(url("version-restore", project.pk, 9)).status_code == 404


def test_the_effects_of_a_version_lead_from_one_total_to_the_other(project: Project, owner: User) -> None:
    raise_price(project, owner)
    bars = signed_in(owner).get(url("version-json", project.pk, 2)).json()["bars"]
    assert [bar["label"] for bar in bars] == ["Before", "Quantity", "Price", "Scope", "Rounding", "After"]
    assert bars[0]["to"] == "200.00" and bars[-1]["to"] == "210.00"
    assert all(Decimal(left["to"]) == Decimal(right["from"]) for left, right in pairwise(bars[:-1]))
    assert bars[2] == {"label": "Price", "from": "200.00", "to": "210.00", "kind": "up", "delta": "10.00"}


def test_the_steps_from_version_to_version_join(project: Project, owner: User) -> None:
    raise_price(project, owner)
    bars = signed_in(owner).get(url("versions-json", project.pk)).json()["bars"]
    assert [(bar["label"], bar["from"], bar["to"], bar["kind"]) for bar in bars] == [
        ("v1", "0", "200.00", "total"),
        ("v2", "200.00", "210.00", "up"),
    ]


def test_fifty_versions_take_as_many_queries_as_two(owner: User) -> None:
    client = signed_in(owner)
    few, many = make_project(owner), make_project(owner)
    for _ in range(2):
        make_version(few)
    for _ in range(50):
        make_version(many)
    for name in ("versions", "versions-json"):
        assert queries(client, url(name, many.pk)) == queries(client, url(name, few.pk)), name


def test_a_project_without_versions_says_what_makes_the_first(owner: User) -> None:
    project = make_project(owner)
    client = signed_in(owner)
    assert "No versions yet" in client.get(url("versions", project.pk)).content.decode()
    assert "Nothing to draw yet" in client.get(url("charts", project.pk)).content.decode()
    assert "No audit yet" in client.get(url("audit", project.pk)).content.decode()
    assert client.get(url("versions-json", project.pk)).json()["bars"] == []
    assert client.get(url("sections-json", project.pk)).json()["bars"] == []


def test_cost_by_section_puts_the_costliest_first_and_adds_up(owner: User) -> None:
    project = make_project(owner, currency="CZK")
    make_position(project, section="HSV › 1 Zemní práce", total=Decimal("100.10"))
    make_position(project, section="HSV › 2 Zakládání", total=Decimal("300.20"))
    make_position(project, section="HSV › 2 Zakládání", total=Decimal("1000"), billing="alternative")
    answer = signed_in(owner).get(url("sections-json", project.pk)).json()
    assert [(bar["label"], bar["cost"]) for bar in answer["bars"]] == [
        ("2 Zakládání", "300.20"),
        ("1 Zemní práce", "100.10"),
    ]
    page = signed_in(owner).get(url("charts", project.pk)).content.decode()
    assert "300.20" in page and "75.0\xa0%" in page  # the same as a table


def test_grades_by_role_follow_a_decision_at_once(project: Project, owner: User) -> None:
    client = signed_in(owner)

    def validator_reds() -> int:
        answer = client.get(url("roles-json", project.pk)).json()
        return int(answer["series"]["red"][answer["labels"].index("Validator")])

    assert validator_reds() == 1
    finding = Finding.objects.get(project=project)
    override_finding(finding_id=finding.pk, actor=owner, reason="Agreed with the author.")
    assert validator_reds() == 0


def test_findings_on_the_whole_budget_are_on_the_audit_page(project: Project, owner: User) -> None:
    from tests.factories.projects import make_finding

    make_finding(None, project, rule_id="C09", role="cost", reasoning="The bill names no <currency>.")
    page = signed_in(owner).get(url("audit", project.pk)).content.decode()
    assert "The bill names no &lt;currency&gt;." in page
    assert f"{url('detail', project.pk)}?rule=V06" in page


# --- any two ----------------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared(project: Project, owner: User) -> None:
    raise_price(project, owner)
    client = signed_in(owner)
    page = client.get(url("compare-versions", project.pk)).content.decode()
    assert "<del>10</del> <ins>15</ins>" in page and "+10.00" in page
    backwards = client.get(url("compare-versions", project.pk), {"old": 2, "new": 1}).content.decode()
    assert "<del>15</del> <ins>10</ins>" in backwards
    same = client.get(url("compare-versions", project.pk), {"old": 2, "new": 2}).content.decode()
    assert "No difference" in same
    bars = client.get(url("compare-versions-json", project.pk)).json()["bars"]
    assert [Decimal(bar["delta"]) for bar in bars] == [200, 0, 10, 0, 0, 210]


def test_one_version_has_nothing_to_be_compared_with(project: Project, owner: User, stranger: User) -> None:
    assert "Nothing to compare yet" in signed_in(owner).get(url("compare-versions", project.pk)).content.decode()
    for name in ("compare-versions", "compare-versions-json"):
        assert signed_in(stranger).get(url(name, project.pk)).status_code == 404


@pytest.mark.parametrize("asked", ["old=9", "new=x", "old=-1", "new=99999999999"])
def test_a_version_that_never_was_is_not_found(project: Project, owner: User, asked: str) -> None:
    raise_price(project, owner)
    assert signed_in(owner).get(f"{url('compare-versions', project.pk)}?{asked}").status_code == 404
