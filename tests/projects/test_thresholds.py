"""An organisation's own thresholds: who sets them, what they may be, and that audits go by them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from jobs.models import Job
from projects.exceptions import Missing, Refused
from projects.models import AuditRun, Finding, Project, ThresholdSetting
from projects.services.auditing import start_audit
from projects.services.thresholds import NotOwner, audit_again, own_thresholds, set_threshold, withdraw_threshold
from tests.factories.projects import make_position, make_project
from tests.projects.pages import HTMX, queries, signed_in, url

pytestmark = pytest.mark.django_db
D = Decimal
WHY = "Our framework contracts allow for it"


def put(actor: User, name: str = "C02.spread", value: str = "0.2") -> ThresholdSetting:
    return set_threshold(name=name, value=D(value), reason=WHY, actor=actor)


def priced_apart(owner: User) -> Project:
    """One code at 100 and at 110: 10 % apart."""
    project = make_project(owner, currency="CZK")
    for number, price in (("1", 100), ("2", 110)):
        make_position(
            project, number=number, code="274321611", catalogue="ÚRS", unit="m3", unit_price=D(price),
            quantity=D(number), total=D(price) * int(number), description="Základové pasy ze ŽB C25/30 XC2",
        )  # fmt: skip
    return project


def test_an_audit_goes_by_the_organisations_own_value_and_keeps_it(owner: User, drain: Callable[[], int]) -> None:
    project = priced_apart(owner)
    start_audit(project_id=project.pk, actor=owner)
    drain()
    assert Finding.objects.filter(project=project, rule_id="C02").count() == 1
    put(owner)
    start_audit(project_id=project.pk, actor=owner)
    drain()
    assert not Finding.objects.filter(project=project, rule_id="C02").exists()
    run = AuditRun.objects.filter(project=project).latest("finished_at")
    assert run.thresholds["C02.spread"] == "0.2"
    assert run.thresholds["C02.spread_red"] == "0.5"


def test_only_the_owner_sets_and_withdraws(member: User, owner: User, viewer: User) -> None:
    for actor in (member, viewer):
        with pytest.raises(NotOwner):
            put(actor)
    put(owner)
    with pytest.raises(NotOwner):
        withdraw_threshold(name="C02.spread", actor=member)


def test_a_stranger_sets_nothing_in_another_organisation(organisation: Organisation, stranger: User) -> None:
    with pytest.raises(Missing):
        set_threshold(name="C02.spread", value=D("0.2"), reason=WHY, actor=stranger, organisation_id=organisation.pk)
    assert not ThresholdSetting.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("C02.spread", "-0.1"), ("C02.spread", "11"), ("C02.spread", "0.6"), ("C02.spread_red", "0.01"),
     ("C02.spread", "NaN"), ("C02.spread", "Infinity"), ("C02.spread", "1E+40")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(owner: User, name: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        put(owner, name, value)
    assert refused.value.code == "threshold_refused"
    assert own_thresholds(organisation_id=owner.memberships.get().organisation_id) == {}


def test_a_reason_is_due_and_the_name_must_exist(owner: User) -> None:
    with pytest.raises(Refused) as refused:
        set_threshold(name="C02.spread", value=D("0.2"), reason="ok", actor=owner)
    assert refused.value.code == "reason_missing"
    with pytest.raises(Missing):
        put(owner, "C02.nothing")


def test_withdrawing_is_refused_while_another_own_value_rests_on_it(owner: User, organisation: Organisation) -> None:
    put(owner, "C02.spread_red", "2")
    put(owner, "C02.spread", "1")
    with pytest.raises(Refused):
        withdraw_threshold(name="C02.spread_red", actor=owner)
    withdraw_threshold(name="C02.spread", actor=owner)
    withdraw_threshold(name="C02.spread_red", actor=owner)
    assert own_thresholds(organisation_id=organisation.pk) == {}
    with pytest.raises(Missing):
        withdraw_threshold(name="C02.spread", actor=owner)


def test_auditing_all_again_is_one_batch_of_open_budgets(owner: User, drain: Callable[[], int]) -> None:
    first, second = priced_apart(owner), priced_apart(owner)
    make_project(owner, name="Empty")
    archived = priced_apart(owner)
    Project.objects.filter(pk=archived.pk).update(status=Project.Status.ARCHIVED)
    batch, number = audit_again(actor=owner)
    assert number == 2
    assert set(Job.objects.filter(batch=batch).values_list("subject_id", flat=True)) == {first.pk, second.pk}
    first.refresh_from_db()
    assert first.status == Project.Status.AUDITING
    drain()
    assert AuditRun.objects.count() == 2
    assert set(Job.objects.filter(batch=batch).values_list("status", flat=True)) == {Job.Status.COMPLETED}
    first.refresh_from_db()
    assert first.status == Project.Status.COMPLETED


def test_auditing_all_again_without_any_budget_is_refused(owner: User) -> None:
    with pytest.raises(Refused):
        audit_again(actor=owner)


def test_the_page_shows_every_rule_and_who_may_change_it(owner: User, viewer: User) -> None:
    put(owner)
    page = signed_in(owner).get(url("rules")).content.decode()
    assert page.count('class="card stack-tight rule"') >= 41
    assert WHY in page
    assert "Change C02.spread" in page
    looking = signed_in(viewer).get(url("rules")).content.decode()
    assert WHY in looking
    assert "Change C02.spread" not in looking


def test_the_page_sets_and_withdraws(owner: User, organisation: Organisation) -> None:
    client = signed_in(owner)
    answer = client.post(url("threshold", "C02.spread"), {"value": "0,25", "reason": WHY})
    assert answer.status_code == 302
    assert own_thresholds(organisation_id=organisation.pk) == {"C02.spread": D("0.25")}
    assert client.post(url("threshold", "C02.spread"), {"value": "much", "reason": WHY}).status_code == 400
    assert client.post(url("threshold", "C02.spread"), {"value": "", "reason": WHY}).status_code == 400
    client.post(url("threshold-withdraw", "C02.spread"))
    assert own_thresholds(organisation_id=organisation.pk) == {}


def test_with_htmx_the_page_loads_anew_and_a_refusal_is_shown_in_place(owner: User) -> None:
    client = signed_in(owner)
    answer = client.post(url("threshold", "C02.spread"), {"value": "0.25", "reason": WHY}, headers=HTMX)
    assert answer.headers["HX-Refresh"] == "true"
    refused = client.post(url("threshold", "C02.spread"), {"value": "99", "reason": WHY}, headers=HTMX)
    assert refused.headers["X-Refused"] == "threshold_refused"
    assert "[J]" not in client.get(url("rules")).content.decode()


def test_pages_of_writing_refuse_members(member: User) -> None:
    client = signed_in(member)
    assert client.post(url("threshold", "C02.spread"), {"value": "0.2", "reason": WHY}).status_code == 403
    assert client.post(url("threshold-withdraw", "C02.spread")).status_code == 403
    assert client.post(url("rules-audit")).status_code == 403


def test_somebody_without_organisation_is_told_there_is_none(db: None) -> None:
    from tests.factories.people import make_user

    loner = make_user("loner")
    assert signed_in(loner).get(url("rules")).status_code == 404
    assert signed_in(loner).get(url("catalogues")).status_code == 404


def test_the_page_takes_as_many_queries_for_fifty_settings_as_for_one(owner: User, organisation: Organisation) -> None:
    from projects.audit.thresholds import TABLE

    put(owner)
    client = signed_in(owner)
    one = queries(client, url("rules"))
    ThresholdSetting.objects.all().delete()
    ThresholdSetting.objects.bulk_create(
        ThresholdSetting(organisation=organisation, name=name, value=row.value, reason=WHY, changed_by=owner)
        for name, row in TABLE.items()
    )
    assert queries(client, url("rules")) == one


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def test_the_api_lists_sets_and_withdraws(owner: User) -> None:
    client = client_of(owner)
    answer: Any = client.put("/api/rules/thresholds/C02.spread", {"value": "0.2", "reason": WHY}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["value"], answer.json()["default"], answer.json()["is_own"]) == ("0.200000", "0.050000", True)
    rows = {row["name"]: row for row in client.get("/api/rules/thresholds").json()}
    assert rows["C02.spread"]["reason"] == WHY
    rules = {rule["id"]: rule for rule in client.get("/api/rules").json()}
    assert len(rules) >= 41
    assert rules["C02"]["thresholds"][0]["value"] == "0.200000"
    assert client.delete("/api/rules/thresholds/C02.spread").status_code == 204
    assert client.delete("/api/rules/thresholds/C02.spread").status_code == 404


def test_the_api_refuses_strangers_members_and_nonsense(
    owner: User, member: User, stranger: User, organisation: Organisation
) -> None:
    body = {"value": "0.2", "reason": WHY}
    address = f"/api/rules/thresholds/C02.spread?organisation={organisation.pk}"
    assert client_of(stranger).put(address, body, format="json").status_code == 404
    assert client_of(stranger).delete(address).status_code == 404
    assert client_of(stranger).get(f"/api/rules?organisation={organisation.pk}").status_code == 404
    assert client_of(stranger).get(f"/api/rules/thresholds?organisation={organisation.pk}").status_code == 404
    assert client_of(stranger).post(f"/api/rules/audits?organisation={organisation.pk}").status_code == 404
    assert client_of(member).put(address, body, format="json").status_code == 403
    assert client_of(member).post("/api/rules/audits").status_code == 403
    client = client_of(owner)
    assert client.put(address, {"value": "99", "reason": WHY}, format="json").json()["code"] == "threshold_refused"
    assert client.put(address, {"value": "x", "reason": WHY}, format="json").status_code == 400
    assert client.put("/api/rules/thresholds/C99.no", body, format="json").status_code == 404
    assert client.get("/api/rules?organisation=nonsense").status_code == 400


def test_the_api_audits_all_again(owner: User) -> None:
    priced_apart(owner)
    answer = client_of(owner).post("/api/rules/audits")
    assert (answer.status_code, answer.json()["projects"]) == (202, 1)
