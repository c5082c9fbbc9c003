"""Certificates as people get them: asked for, made by a job, downloaded, replayed; and refused where they can't be."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from projects.audit.replay import replay
from projects.models import AuditRecord, AuditRun, Project
from projects.services.certificates import CERTIFY
from projects.services.editing import edit_position
from tests.projects.test_reaudit import any_position, audit, make_budget

pytestmark = pytest.mark.django_db


@pytest.fixture
def audited(owner: User) -> Project:
    project = make_budget(owner, random.Random(7), 12)
    audit(project)
    return project


def edited(project: Project, owner: User, drain: Callable[[], int]) -> AuditRun:
    row = any_position(project, random.Random(3))
    changes = {"unit_price": Decimal("77.70")}
    edit_position(project_id=project.pk, actor=owner, lineage=row.lineage, seen=row.pk, changes=changes)
    drain()
    run: AuditRun = AuditRun.objects.filter(project=project).order_by("-pk")[0]
    return run


def newest_job() -> Job:
    job: Job = Job.objects.filter(kind=CERTIFY).order_by("-created_at")[0]
    return job


def body_of(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_of_an_edit_s_audit_it_is_made_and_replays(
    audited: Project, owner: User, client: Client, drain: Callable[[], int]
) -> None:
    run = edited(audited, owner, drain)
    assert run.is_incremental
    client.force_login(owner)
    page = f"/projects/{audited.pk}/audit/"
    assert b"Make certificate" in client.get(page).content
    assert client.get(f"{page}certificate/").status_code == 404
    assert client.post(f"{page}certificate/").status_code == 302
    drain()
    assert newest_job().status == Job.Status.COMPLETED, newest_job().error
    assert b"Download certificate" in client.get(page).content
    answer = client.get(f"{page}certificate/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/gzip")
    found = replay(body_of(answer))
    assert found.is_equal, (found.problem, found.differences)
    assert found.sha256 == AuditRecord.objects.get(run=run).certificate_sha256
    assert (found.positions, found.counts) == (run.positions, run.counts)


def test_of_an_earlier_version_too(audited: Project, owner: User, drain: Callable[[], int]) -> None:
    first = AuditRun.objects.get(project=audited)
    edited(audited, owner, drain)
    api = APIClient()
    api.force_authenticate(owner)
    address = f"/api/projects/{audited.pk}/audits/{first.pk}/certificate"
    assert api.get(address).status_code == 404
    assert api.post(address).status_code == 202
    drain()
    assert newest_job().status == Job.Status.COMPLETED, newest_job().error
    answer = api.get(address)
    found = replay(body_of(answer))
    assert (found.is_equal, found.counts) == (True, first.counts)


def test_an_audit_that_comes_to_something_else_gets_none(
    audited: Project, owner: User, drain: Callable[[], int]
) -> None:
    run = AuditRun.objects.get(project=audited)
    AuditRun.objects.filter(pk=run.pk).update(money_at_stake=Decimal("0.01"))
    api = APIClient()
    api.force_authenticate(owner)
    api.post(f"/api/projects/{audited.pk}/audits/{run.pk}/certificate")
    drain()
    assert newest_job().status == Job.Status.FAILED
    assert "money at stake" in newest_job().error["message"]
    assert not AuditRecord.objects.get(run=run).certificate


def test_a_stranger_sees_neither_audits_nor_certificates(audited: Project, stranger: User, client: Client) -> None:
    run = AuditRun.objects.get(project=audited)
    api = APIClient()
    api.force_authenticate(stranger)
    client.force_login(stranger)
    for path in ("audits", f"audits/{run.pk}", f"audits/{run.pk}/certificate"):
        assert api.get(f"/api/projects/{audited.pk}/{path}").status_code == 404
    assert api.post(f"/api/projects/{audited.pk}/audits/{run.pk}/certificate").status_code == 404
    assert client.get(f"/projects/{audited.pk}/audit/certificate/").status_code == 404
    assert client.post(f"/projects/{audited.pk}/audit/certificate/").status_code == 404
    assert not Job.objects.filter(kind=CERTIFY).exists()


def test_whoever_looks_on_may_have_one_made(audited: Project, viewer: User) -> None:
    api = APIClient()
    api.force_authenticate(viewer)
    run = AuditRun.objects.get(project=audited)
    assert api.post(f"/api/projects/{audited.pk}/audits/{run.pk}/certificate").status_code == 202


def test_odd_numbers_of_audits_are_refused(audited: Project, owner: User, client: Client) -> None:
    client.force_login(owner)
    for run in ("x", "-1", "9" * 30):
        assert client.get(f"/projects/{audited.pk}/audit/certificate/?run={run}").status_code == 400


def test_one_audit_says_how_many_positions_it_asked(
    audited: Project, owner: User, django_assert_max_num_queries: Any, drain: Callable[[], int]
) -> None:
    run = edited(audited, owner, drain)
    api = APIClient()
    api.force_authenticate(owner)
    with django_assert_max_num_queries(6):
        body = api.get(f"/api/projects/{audited.pk}/audits/{run.pk}").json()
    assert (body["version"], body["is_incremental"], body["certificate_sha256"]) == (2, True, "")
    assert body["audited_positions"] == run.audited_positions
