"""The OpenAPI document as an attacker reads it: whatever is sent, well formed or not, no answer is a fault of ours."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient
from schemathesis.generation import GenerationMode

from accounts.models import Organisation, User
from analytics.models import Entity
from jobs.services import enqueue
from projects.models import Finding, Position, Project
from projects.services.auditing import AUDIT
from quiz.models import SessionFile
from quiz.services import attempts
from tenders.models import TenderDocument
from tenders.services import documents
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_audited_project, make_document
from tests.factories.quiz import make_category, make_question
from tests.factories.tenders import make_source, make_tender
from tests.factories.training import make_assignment, make_note, make_session, make_template
from tests.factories.voice import make_connection

pytestmark = pytest.mark.django_db
# For each operation, well formed and not. The same ones each time: `make soak` draws others, and more of them.
IS_SOAK = bool(os.environ.get("PLUMBLINE_SOAK"))
EXAMPLES = 100 if IS_SOAK else 16


def operations() -> dict[str, Any]:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    found = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


OPERATIONS = operations()


@pytest.fixture
def owner() -> User:
    return make_user("owner", organisation=make_organisation())


@pytest.fixture
def project(owner: User) -> Project:
    return make_audited_project(owner)


def real_ids(project: Project, owner: User, path: str) -> dict[str, str]:
    """So that half of the examples come past the 404."""
    organisation = Organisation.objects.get(memberships__user=owner)
    tender, question = make_tender(make_source(organisation)), make_question(make_category())
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=question.category_id)
    address = "https://publisher.example/plan.pdf"
    document = TenderDocument.objects.create(
        tender=tender, organisation=organisation, url=address, url_digest=documents.digest_of(address)
    )
    ids = {
        "/tenders/{id}": tender.pk,
        "/quiz/attempts/": attempt.pk,
        "/jobs/": enqueue(kind=AUDIT, params={"project_id": str(project.pk)}, actor=owner).pk,
        "/documents/": make_document(project, parse_status="failed").pk,
        "/findings/": Finding.objects.filter(project=project, position__isnull=False)[0].pk,
        "/projects/{id}": project.pk,
    }
    return {
        "task": "trim",
        "id": str(next((key for part, key in ids.items() if part in path), "")),
        "project_id": str(project.pk),
        "tender_id": str(tender.pk),
        "document_id": str(document.pk),
        "category_id": str(question.category_id),
        "lineage": str(Position.objects.filter(project=project)[0].lineage),
        "entity_id": str(Entity.objects.create(name="Preheat", entity_type="clause", source="x", source_id="1").pk),
        "number": "1",
        "digest": "0" * 64,
        "other": "1",
        "name": "C02.spread",
        "guid": "0" * 22,
        "legacy_id": "proj_1",
    }


def real_ids_of_training(owner: User, path: str) -> dict[str, str]:
    """The same, of training calls."""
    organisation = Organisation.objects.get(memberships__user=owner)
    template = make_template(organisation)
    session = make_session(organisation, owner, template=template)
    recording = SessionFile.objects.create(session=session, kind="recording", content_type="audio/wav", size=5)
    recording.file.save("a.wav", ContentFile(b"RIFF!"))
    ids = {
        "/connections/": make_connection(organisation).pk,
        "/assignments/": make_assignment(template, owner).pk,
        "/templates/": template.pk,
        "/sessions/": session.pk,
    }
    return {
        "id": str(next((key for part, key in ids.items() if part in path), "")),
        "session_id": str(session.pk),
        "file_id": str(recording.pk),
        "note_id": str(make_note(session, owner).pk),
        "number": "1",
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_input_is_answered_with_a_fault_of_ours(name: str, project: Project, owner: User) -> None:
    operation = OPERATIONS[name]
    client = APIClient(raise_request_exception=True)
    client.force_authenticate(owner)
    is_training = operation.path.startswith("/api/training/")
    ids = real_ids_of_training(owner, operation.path) if is_training else real_ids(project, owner, operation.path)
    cases = st.one_of(*(operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=not IS_SOAK,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_real=st.booleans(), as_form=st.booleans())
    def no_fault(case: Any, is_real: bool, as_form: bool) -> None:
        path = operation.path.format(**ids) if is_real else case.formatted_path
        with transaction.atomic():  # every example meets the same project
            answer = sent(client, case, path, as_form=as_form)
            transaction.set_rollback(True)
        assert answer.status_code < 500, (answer.status_code, answer.content)
        if answer.status_code >= 400 and answer.status_code != 404:  # an address that is none is Django's own 404
            assert answer["content-type"] == "application/problem+json"

    no_fault()


def sent(client: APIClient, case: Any, path: str, *, as_form: bool) -> Any:
    query = urlencode({key: str(value) for key, value in dict(case.query or {}).items()}, errors="replace")
    address = quote(path, safe="/%") + (f"?{query}" if query else "")
    if case.media_type == "multipart/form-data" and isinstance(case.body, dict) and as_form:
        form = {name: _field(name, value) for name, value in case.body.items()}
        return client.generic(case.method, address, *_multipart(form))
    if case.method.upper() in ("GET", "DELETE") or isinstance(case.body, type(schemathesis.core.NOT_SET)):
        return client.generic(case.method, address)
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str)
    return client.generic(case.method, address, body, content_type=case.media_type or "application/json")


def _field(name: str, value: Any) -> Any:
    if name != "file":
        return value if isinstance(value, str) else json.dumps(value, default=str)
    return SimpleUploadedFile("bill.csv", value if isinstance(value, bytes) else str(value).encode(errors="replace"))


def _multipart(form: dict[str, Any]) -> tuple[bytes, str]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return encode_multipart(BOUNDARY, form), MULTIPART_CONTENT
