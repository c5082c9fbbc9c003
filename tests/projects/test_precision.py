"""How often rules are right: measured from standing decisions, an organisation's own, used once there are enough."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Organisation, User
from projects.models import AuditRun, Finding, FindingOverride, Project
from projects.services.auditing import start_audit
from projects.services.precision import Precision, decided, measured
from projects.services.thresholds import set_threshold
from tests.factories.projects import make_position, make_project
from tests.projects.pages import signed_in, url

pytestmark = pytest.mark.django_db
D = Decimal


def decide(project: Project, rule: str, decision: str, times: int, **fields: Any) -> None:
    FindingOverride.objects.bulk_create(
        FindingOverride(
            project=project, lineage=uuid4(), rule_id=rule, content_hash="0" * 32, decision=decision, reason="seen",
            **fields,
        )
        for _ in range(times)
    )  # fmt: skip


def test_precision_is_the_plain_share_of_standing_decisions(
    owner: User, stranger: User, organisation: Organisation
) -> None:
    from django.utils import timezone

    project, other = make_project(owner), make_project(owner, name="Second")
    decide(project, "C02", "accepted", 3)
    decide(other, "C02", "overridden", 1)
    decide(project, "C02", "overridden", 9, withdrawn_at=timezone.now())
    decide(make_project(stranger), "C02", "overridden", 50)
    assert decided(organisation_id=organisation.pk) == {"C02": Precision(3, 4)}
    assert Precision(3, 4).share == D("0.7500")
    low, high = Precision(3, 4).interval
    assert (low, high) == (D("0.3006"), D("0.9544"))  # Wilson's score interval, 95 %


def test_too_few_decisions_are_not_yet_measured_and_how_many_is_the_firms_own(
    owner: User, organisation: Organisation
) -> None:
    decide(make_project(owner), "C02", "accepted", 4)
    assert measured(organisation_id=organisation.pk, thresholds={}) == {}
    own = {"O02.min_judged": D(4)}
    assert measured(organisation_id=organisation.pk, thresholds=own) == {"C02": Precision(4, 4)}


def test_an_audit_uses_it_keeps_it_and_the_page_shows_it(owner: User, drain: Callable[[], int]) -> None:
    project = make_project(owner, currency="CZK")
    for number, price in (("1", 100), ("2", 110)):
        make_position(
            project, number=number, code="274321611", unit="m3", unit_price=D(price), quantity=D(number),
            total=D(price) * int(number), description="Základové pasy ze ŽB C25/30 XC2",
        )  # fmt: skip
    decide(project, "C02", "accepted", 3)
    decide(project, "C02", "overridden", 2)
    start_audit(project_id=project.pk, actor=owner)
    drain()
    assert AuditRun.objects.get().precision == {"C02": ["0.6000", 5]}
    finding = Finding.objects.get(rule_id="C02")
    assert (finding.confidence, finding.evidence["precision"]) == (D("0.6000"), "0.6000")
    page = signed_in(owner).get(url("rules")).content.decode()
    assert "of 5 findings decided on stood" in page
    set_threshold(name="O02.min_judged", value=D(6), reason="More is better", actor=owner)
    assert "Not yet measured: 5 of 6 decisions" in signed_in(owner).get(url("rules")).content.decode()
