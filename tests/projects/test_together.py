"""Several people in one project: presence, a form that is behind, and the history of who did what and why."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from projects.models import ChatMessage, Document, Finding, Project, ProjectExport
from projects.services import presence
from projects.services.editing import edit_position
from projects.services.overrides import override_finding, withdraw_override
from projects.services.timeline import KINDS, timeline
from tests.projects.pages import queries, rows_of, signed_in, url

pytestmark = pytest.mark.django_db


# --- who is here ------------------------------------------------------------------------------------------------------


def test_who_has_the_project_open_is_shown_to_the_others(project: Project, owner: User, member: User) -> None:
    lineage = str(rows_of(project)[0].lineage)
    assert b"here-person" not in signed_in(owner).post(url("here", project.pk)).content
    page = signed_in(member).post(url("here", project.pk), {"editing": lineage}).content.decode()
    assert "Owner" in page and "Member" not in page
    page = signed_in(owner).post(url("here", project.pk)).content.decode()
    assert f'data-editing="{lineage}"' in page and "changing a position" in page


def test_whoever_leaves_or_falls_silent_is_gone(project: Project, owner: User, member: User) -> None:
    presence.arrive(project_id=project.pk, user=member)
    assert [each.name for each in presence.arrive(project_id=project.pk, user=owner)] == ["Member"]
    signed_in(member).post(url("here", project.pk), {"gone": "1"})
    assert presence.arrive(project_id=project.pk, user=owner) == []
    presence.arrive(project_id=project.pk, user=member)
    with time_machine.travel(timezone.now() + timedelta(seconds=presence.GONE_AFTER_S + 1)):
        assert presence.arrive(project_id=project.pk, user=owner) == []


def test_strangers_neither_see_nor_are_seen(project: Project, owner: User, stranger: User) -> None:
    for name in ("here", "history"):
        call = signed_in(stranger).post if name == "here" else signed_in(stranger).get
        assert call(url(name, project.pk)).status_code == 404
    assert presence.arrive(project_id=project.pk, user=owner) == []
    lineage = rows_of(project)[0].lineage
    assert signed_in(stranger).get(url("seen", project.pk, lineage)).status_code == 404
    assert signed_in(stranger).get(f"/api/projects/{project.pk}/activity").status_code == 404


def test_without_redis_nobody_is_shown(project: Project, owner: User, member: User, settings: object) -> None:
    presence.arrive(project_id=project.pk, user=member)
    breaker = presence.breaker_of(presence.events_url())
    breaker.failed()
    try:
        assert presence.arrive(project_id=project.pk, user=owner) == []
        presence.leave(project_id=project.pk, user=owner)
    finally:
        breaker.worked()


def test_initials_are_of_the_first_two_words() -> None:
    made = [presence.Present("1", name).initials for name in ("Jana Nováková Malá", "demo@plumbline.example", "–")]
    assert made == ["JN", "DP", "?"]


# --- a form that is behind --------------------------------------------------------------------------------------------


def test_a_form_learns_which_row_is_current_and_that_there_is_none(project: Project, owner: User) -> None:
    row = rows_of(project)[0]
    client = signed_in(owner)
    assert client.get(url("seen", project.pk, row.lineage)).json() == {"seen": row.pk}
    change(project, owner)
    assert client.get(url("seen", project.pk, row.lineage)).json() != {"seen": row.pk}
    assert client.get(url("seen", project.pk, uuid4())).json() == {"seen": None}


# --- what has happened ------------------------------------------------------------------------------------------------


def change(project: Project, actor: User, reason: str = "New offer", price: int = 15) -> None:
    row = rows_of(project)[0]
    edit_position(
        project_id=project.pk,
        lineage=row.lineage,
        actor=actor,
        seen=row.pk,
        changes={"unit_price": Decimal(price)},
        reason=reason,
    )


def everything(project: Project, owner: User, member: User) -> None:
    """One happening of each kind."""
    row = rows_of(project)[0]
    finding = Finding.objects.create(
        project=project, position=row, version_number=1, role="cost", rule_id="C01", rule_version=1, grade="red",
        confidence=Decimal(1), reasoning="No price.",
    )  # fmt: skip
    decided = override_finding(finding_id=finding.pk, actor=member, decision="overridden", reason="Included elsewhere")
    withdraw_override(finding_id=decided.pk, actor=member)
    Document.objects.create(
        project=project, uploaded_by=owner, original_filename="vykaz.xlsx", file="x", size=3, sha256="0" * 64
    )
    ProjectExport.objects.create(project=project, created_by=member, kind="csv", version_number=1)
    question = ChatMessage.objects.create(project=project, role="user", message="Raise the price to 15")
    ChatMessage.objects.create(
        project=project, role="assistant", message="So?", question=question, proposal="applied", applied_version=1,
        decided_by=owner, decided_at=timezone.now(),
    )  # fmt: skip


def test_every_kind_of_happening_is_told_with_who_and_why(project: Project, owner: User, member: User, drain) -> None:
    everything(project, owner, member)
    change(project, owner)
    drain()  # the audit that follows
    listed, following = timeline(project=project)
    assert {told.kind for told in listed} == set(KINDS) and following == ""
    by_kind = {told.kind: told for told in reversed(listed)}  # the newest of each
    assert (by_kind["decision"].actor, by_kind["decision"].why) == ("Member", "Included elsewhere")
    assert by_kind["version"].actor == "Owner" and by_kind["version"].why == "New offer"
    assert by_kind["proposal"].why == "Raise the price to 15"
    assert by_kind["audit"].actor == "" and "was audited" in by_kind["audit"].what
    page = signed_in(owner).get(url("history", project.pk)).content.decode()
    assert "Included elsewhere" in page and "vykaz.xlsx was uploaded" in page and "New offer" in page


def test_it_is_narrowed_to_a_kind_and_a_person(project: Project, owner: User, member: User) -> None:
    everything(project, owner, member)
    client = signed_in(owner)
    page = client.get(url("history", project.pk), {"kind": "document"}).content.decode()
    assert "vykaz.xlsx" in page and "Included elsewhere" not in page
    page = client.get(url("history", project.pk), {"who": str(member.pk)}).content.decode()
    assert "Included elsewhere" in page and "was uploaded" not in page
    page = client.get(url("history", project.pk), {"kind": "withdrawal", "who": str(owner.pk)}).content.decode()
    assert "Nothing like that" in page


def test_pages_follow_each_other_without_gap_or_repetition(project: Project, owner: User) -> None:
    for price in range(20, 27):
        change(project, owner, price=price)
    seen: list[str] = []
    before = ""
    while True:
        listed, before = timeline(project=project, before=before, limit=3)
        seen += [told.cursor for told in listed]
        if not before:
            break
    everything_at_once, _ = timeline(project=project, limit=200)
    assert seen == [told.cursor for told in everything_at_once] and len(set(seen)) == len(seen) >= 7


def test_pages_of_what_happened_in_one_moment_are_complete(project: Project, owner: User) -> None:
    at = timezone.now()
    for _ in range(9):
        ProjectExport.objects.create(project=project, created_by=owner, kind="csv", version_number=1, created_at=at)
    seen: list[str] = []
    before = ""
    while before or not seen:
        listed, before = timeline(project=project, before=before, limit=2)
        seen += [told.key for told in listed if told.kind == "export"]
    assert len(seen) == len(set(seen)) == 9


def test_the_api_tells_the_same(project: Project, owner: User) -> None:
    change(project, owner)
    answer = signed_in(owner).get(f"/api/projects/{project.pk}/activity?limit=1").json()
    assert [told["kind"] for told in answer["happenings"]] == ["version"] and answer["before"]
    following = signed_in(owner).get(f"/api/projects/{project.pk}/activity", {"before": answer["before"]}).json()
    assert answer["happenings"][0] not in following["happenings"]


@pytest.mark.parametrize(
    "asked", ["kind=x", "actor=x", "before=x", "limit=0", "limit=x", "before=2026-01-01~version~1"]
)
def test_nonsense_is_refused(project: Project, owner: User, asked: str) -> None:
    answer = signed_in(owner).get(f"/api/projects/{project.pk}/activity?{asked}")
    assert answer.status_code == 400 and answer.json()["detail"]


def test_queries_do_not_grow_with_what_has_happened(project: Project, owner: User, member: User) -> None:
    everything(project, owner, member)
    few = queries(signed_in(owner), url("history", project.pk))
    for price in range(50):
        change(project, owner, price=100 + price)
    assert queries(signed_in(owner), url("history", project.pk)) <= few + 1
