"""The audit's page: what the budget was compared with, and where to give what was lacking; the report beside it."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile

from accounts.models import User
from projects.models import AuditRecord, AuditRun, Project
from projects.services.export_report import content_of
from tests.projects.pages import signed_in, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(project: Project) -> AuditRun:
    audit = AuditRun.objects.get(project=project)
    audit.references = {
        "fingerprint": "f" * 64,
        "catalogue": {"name": "ÚRS", "edition": "2025 02"},
        "price_index": {"series": "Works", "first": "2024-01-01", "last": "2025-07-01"},
        "history": "the organisation's other budgets",
        "blank": {
            "document": "x",
            "filename": "<tender>.xml",
            "sha256": "a1" * 32,
            "positions": None,
            "problem": "It is gone",
        },
    }
    audit.not_checked_rules = [
        ["N02", "Text differs", "no price catalogue is loaded"],
        ["V13", "Changed", "the file before pricing is not loaded"],
        ["V14", "Hidden", "the file was not looked through"],
        ["C08", "VAT", "the budget has no date"],
        ["Z99", "Of a former release", "unknown"],
    ]
    audit.save()
    return audit


def test_the_page_names_what_the_audit_compared_with(run: AuditRun, project: Project, viewer: User) -> None:
    page = signed_in(viewer).get(url("audit", project.pk)).content.decode()
    for words in ("ÚRS 2025 02", "Works · 2024-01 to 2025-07", "&lt;tender&gt;.xml", "a1a1a1a1a1a1a1a1…", "It is gone"):
        assert words in page
    assert "Choose a price catalogue" not in page, "who only looks can't give what is lacking"


def test_rules_that_could_not_run_say_where_to_give_what_they_need(
    run: AuditRun, project: Project, owner: User
) -> None:
    page = signed_in(owner).get(url("audit", project.pk)).content.decode()
    for name, action in (
        ("references", "Choose a price catalogue"),
        ("references", "Choose the unpriced file"),
        ("documents", "Have the file read again"),
        ("settings", "Give the budget its date"),
    ):
        assert f'<a href="{url(name, project.pk)}">{action}</a>' in page
    assert "Of a former release" in page


def test_an_audit_that_compared_with_nothing_says_so(run: AuditRun, project: Project, owner: User) -> None:
    AuditRun.objects.filter(pk=run.pk).update(references={}, not_checked_rules=[])
    page = signed_in(owner).get(url("audit", project.pk)).content.decode()
    assert "Nothing but itself" in page
    assert "Every rule could run." in page


def test_the_report_names_the_certificate_that_the_page_offers(run: AuditRun, project: Project, owner: User) -> None:
    lines = dict(content_of(project=project, version=project.version_number)["certificate"])
    assert lines["SHA-256 of the certificate"].startswith("not made yet")
    record, _ = AuditRecord.objects.get_or_create(run=run, defaults={"context": {}, "decisions": []})
    record.certificate_sha256 = "c5" * 32
    record.certificate.save("certificate.json.gz", ContentFile(b"x"))
    lines = dict(content_of(project=project, version=project.version_number)["certificate"])
    assert lines["SHA-256 of the certificate"] == "c5" * 32
    assert "c5c5c5c5c5c5c5c5…" in signed_in(owner).get(url("audit", project.pk)).content.decode()
