"""What endpoints are told of projects: written with what they tell of, thin, and to nobody else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from jobs.models import WebhookDelivery
from jobs.webhooks import endpoints
from projects.models import Position, Project
from projects.services.editing import edit_position
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.imports import given_bill, run_audit, upload
from tests.factories.projects import make_positions, make_project

pytestmark = pytest.mark.django_db(transaction=True)

DIG = GivenPosition("1", "Sejmutí ornice", "m2", Decimal("100"), Decimal("35.793"), "121151113")


@pytest.fixture
def _listening(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        endpoints.create_endpoint(actor=user, url="https://hooks.example.com/", event_types=["*"])


def told(user: User) -> list[tuple[str, dict[str, Any]]]:
    """Type and data, oldest first, without what is told of jobs."""
    rows = WebhookDelivery.objects.visible_to(user).exclude(event_type__startswith="job.").order_by("created_at", "pk")
    return [(row.event_type, row.payload["data"]) for row in rows]


@pytest.mark.usefixtures("_listening")
def test_a_bill_is_told_as_document_version_and_audit(owner: User, stranger: User, tmp_path: Path) -> None:
    project = make_project(owner, "Novostavba")
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    document = upload(project, owner, tmp_path / "bill.xlsx")
    run_audit(project)
    events = dict(told(owner))
    assert events.keys() == {"document.imported", "project.version_created", "project.audited"}
    assert all(
        (data["project_id"], data["project"], data["version"]) == (str(project.pk), "Novostavba", 1)
        and data["link"].endswith(f"/projects/{project.pk}/")
        for data in events.values()
    )
    imported = events["document.imported"]
    assert (imported["document_id"], imported["filename"], imported["positions"]) == (
        str(document.pk),
        "bill.xlsx",
        1,
    )
    version = events["project.version_created"]
    assert (version["trigger"], version["total_cost"], version["currency"]) == ("initial", str(DIG.total), "CZK")
    assert sum(events["project.audited"]["counts"].values()) == 1
    assert told(stranger) == []
    ended = WebhookDelivery.objects.visible_to(owner).filter(event_type="job.completed")
    assert sorted(row.payload["data"]["kind"] for row in ended) == ["projects.audit", "projects.parse_document"]


@pytest.mark.usefixtures("_listening")
def test_an_edit_is_told_as_a_version_and_a_refused_one_is_not(owner: User) -> None:
    project = make_project(owner, currency="CZK")
    make_positions(project, 2)
    row = Position.objects.filter(project=project).order_by("ordinal")[0]
    change = {"project_id": project.pk, "lineage": row.lineage, "actor": owner, "seen": row.pk}
    with pytest.raises(KeyError), transaction.atomic():
        edit_position(**change, changes={"unit_price": Decimal("12.50")})
        raise KeyError  # whatever rolls it back
    assert told(owner) == []
    edit_position(**change, changes={"unit_price": Decimal("12.50")})
    ((name, data),) = told(owner)
    assert (name, data["version"], data["trigger"], data["delta_cost"]) == (
        "project.version_created",
        2,
        "user_edit",
        "5.00",
    )
    assert Project.objects.get(pk=project.pk).version_number == 2
