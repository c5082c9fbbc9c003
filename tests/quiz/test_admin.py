"""Quizzes in the admin: every page opens, what staff do goes through the services, others stay out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from quiz.models import (
    Bank,
    Category,
    Clause,
    Edition,
    ExamStatistics,
    ItemStatistics,
    Question,
    Standard,
    SyncRejection,
    SyncRun,
)
from quiz.services import banks, files
from tests.factories.people import make_user
from tests.factories.training import make_everything
from tests.standins import airtable_questions as office
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable, Bucket

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = sorted((m for m in admin.site._registry if m._meta.app_label == "quiz"), key=lambda m: m.__name__)
GIFT = """
::T1:: <b>Steel</b> <script>alert(1)</script>rusts. {TRUE}

::T2:: What comes first? {=Preheat ~Peen #No!}

::T3:: What now? {~one ~two}
"""


@pytest.fixture
def as_staff(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


@pytest.fixture
def bank(transactional_db: None) -> Bank:
    """One row of everything."""
    bank = banks.bank_named(name="Pool")
    files.import_file(bank=bank, stream=io.BytesIO(GIFT.encode()), filename="pool.gift")
    edition = Edition.objects.create(standard=Standard.objects.create(code="AWS D1.1"), name="2025")
    Clause.objects.create(edition=edition, number="4.1", position=1)
    version = Question.objects.filter(bank=bank)[0].current
    now = timezone.now()
    ItemStatistics.objects.create(version=version, answers=40, facility=0.5, flags=["wrong_key"], analysed_at=now)
    ExamStatistics.objects.create(category=Category.objects.all()[0], forms=1, questions=2, people=3, analysed_at=now)
    make_everything()
    return bank


@pytest.fixture
def airtable(settings: Any) -> Iterator[Airtable]:
    standin = office.welding_base(10)
    standin.bucket = Bucket(per_s=50.0, lockout_s=0.5)
    settings.AIRTABLE_REQUESTS_PER_S = 45.0
    with serving(standin):
        settings.AIRTABLE_URL, settings.AIRTABLE_TOKEN = standin.url, standin.token
        yield standin


def address(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:quiz_{model}_{page}", args=arguments)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_every_row_opens(as_staff: Client, bank: Bank, model: Any) -> None:
    name = model._meta.model_name
    rows = list(model.objects.all())
    assert rows, f"no {name} to look at"
    assert as_staff.get(address(name, "changelist") + "?q=4").status_code == 200
    for row in rows:
        assert as_staff.get(address(name, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_people_who_are_no_staff_stay_out(client: Client, bank: Bank, model: Any) -> None:
    client.force_login(make_user("member"))
    answer = client.get(address(model._meta.model_name, "changelist"))
    assert answer.status_code == 302
    assert "/login" in answer["Location"]


@pytest.mark.parametrize("name", ["bank", "question", "syncrun", "syncrejection", "category"])
def test_a_list_costs_the_same_queries_whatever_its_length(as_staff: Client, bank: Bank, name: str) -> None:
    model: Any = next(each for each in MODELS if each._meta.model_name == name)
    as_staff.get(address(name, "changelist"))
    with CaptureQueriesContext(connection) as few:
        as_staff.get(address(name, "changelist"))
    row = model.objects.first()
    unique = {"bank": "name", "category": "name", "question": "external_id", "syncrejection": "record_id"}.get(name)
    for number in range(30):
        row.pk = None
        row.id = None
        row._state.adding = True
        if name == "question":
            row.current = None
        if unique:
            setattr(row, unique, f"Another {number}")
        from uuid import uuid4

        row.id = uuid4()
        row.save(force_insert=True)
    with CaptureQueriesContext(connection) as many:
        as_staff.get(address(name, "changelist"))
    assert len(many) == len(few)


def test_the_sync_button_starts_a_job_and_leads_to_its_live_page(as_staff: Client, airtable: Airtable) -> None:
    values = {"name": "Office", "kind": "airtable", "base_id": airtable.base_id, "table_id": office.TABLE}
    assert as_staff.post(address("bank", "add"), values | {"mapping": "{}"}).status_code == 302
    bank = Bank.objects.get()
    asked = as_staff.get(address("bank", "sync", bank.pk))
    assert b"All records" in asked.content
    assert not Job.objects.exists(), "a link changes nothing"
    answer = as_staff.post(address("bank", "sync", bank.pk), {"is_full": "on"})
    job = Job.objects.get()
    assert answer["Location"] == reverse("jobs:detail", args=[job.pk])
    assert as_staff.get(answer["Location"]).status_code == 200
    run_here(job_id=job.pk)
    assert Question.objects.live().count() == 10
    run = SyncRun.objects.get()
    assert str(job.pk) in as_staff.get(address("syncrun", "change", run.pk)).content.decode()


def test_rejected_records_are_fixed_in_airtable_and_retried(as_staff: Client, airtable: Airtable) -> None:
    table = airtable.tables[office.TABLE]
    for number in (5, 6):
        airtable.put(table, office.record_id(number), **{office.CORRECT: "Z"})
    bank = banks.bank_at(base_id=airtable.base_id, table_id=office.TABLE)
    as_staff.post(address("bank", "sync", bank.pk), {"is_full": "on"})
    run_here(job_id=Job.objects.get(kind=banks.SYNC).pk)
    first, second = SyncRejection.objects.unresolved().order_by("record_id")
    airtable.put(table, first.record_id, **{office.CORRECT: "A"})
    chosen = {"action": "retry", "_selected_action": [first.pk, second.pk]}
    assert as_staff.post(address("syncrejection", "changelist"), chosen).status_code == 302
    run_here(job_id=Job.objects.filter(kind=banks.SYNC, status="queued").get().pk)
    assert SyncRejection.objects.unresolved().get().pk == second.pk
    airtable.put(table, second.record_id, **{office.CORRECT: "A"})
    as_staff.post(address("syncrejection", "mend", second.pk))
    run_here(job_id=Job.objects.filter(kind=banks.SYNC, status="queued").get().pk)
    assert not SyncRejection.objects.unresolved().exists()
    assert Question.objects.live().count() == 10


def test_a_files_rejected_question_is_mended_here(as_staff: Client, bank: Bank) -> None:
    rejection = SyncRejection.objects.get()
    page = address("syncrejection", "mend", rejection.pk)
    assert b"What now?" in as_staff.get(page).content
    refused = as_staff.post(page, {"text": "::T3:: What now? {~one ~two}"})
    assert refused.status_code == 200
    assert SyncRejection.objects.unresolved().exists()
    assert as_staff.post(page, {"text": "::T3:: What now? {=one ~two}"}).status_code == 302
    rejection.refresh_from_db()
    assert rejection.resolved_by is not None
    assert rejection.resolved_by.email == "root@example.com"
    assert Question.objects.live().count() == 3


def test_a_bank_that_can_not_be_is_refused_in_words(as_staff: Client, bank: Bank) -> None:
    page = address("bank", "add")
    answer = as_staff.post(page, {"name": "A", "kind": "airtable", "base_id": "nonsense", "mapping": "{}"})
    assert b"needs its id, app" in answer.content
    answer = as_staff.post(page, {"name": "A", "kind": "files", "mapping": '{"colour": "fld1"}'})
    assert b"Field ids" in answer.content
    answer = as_staff.post(page, {"name": "Pool", "kind": "files", "mapping": "{}"})
    assert answer.status_code == 200, "the name is taken"
    assert Bank.objects.count() == 1
    assert as_staff.post(address("bank", "sync", bank.pk), {}).status_code == 200
    assert not Job.objects.filter(kind=banks.SYNC).exists()


def test_a_bank_is_renamed_and_a_category_gets_its_exam(as_staff: Client, bank: Bank) -> None:
    changed = as_staff.post(address("bank", "change", bank.pk), {"name": "Pool of 2026", "mapping": "{}"})
    assert changed.status_code == 302
    bank.refresh_from_db()
    assert (bank.name, bank.kind) == ("Pool of 2026", "files")
    category = Category.objects.get()
    values = {"name": "Steel", "position": 1, "exam_questions": 20, "exam_minutes": 30, "pass_share": "0.8"}
    assert as_staff.post(address("category", "change", category.pk), values).status_code == 302
    category.refresh_from_db()
    assert (category.name, category.exam_questions) == ("Steel", 20)


def test_a_file_is_uploaded_and_read(as_staff: Client, bank: Bank) -> None:
    page = address("bank", "import_file", bank.pk)
    assert as_staff.get(page).status_code == 200
    file = SimpleUploadedFile("more.gift", b"::T9:: Steel is hard. {TRUE}")
    answer = as_staff.post(page, {"file": file, "edition": "2026", "format": ""})
    job = Job.objects.get(kind=files.IMPORT)
    assert answer["Location"] == reverse("jobs:detail", args=[job.pk])
    run_here(job_id=job.pk)
    assert Question.objects.get(edition="2026").current is not None


def test_questions_are_retired_and_asked_again_and_shown_without_their_scripts(as_staff: Client, bank: Bank) -> None:
    question = Question.objects.order_by("created_at").first()
    assert question is not None
    shown = as_staff.get(address("question", "change", question.pk)).content.decode()
    assert "<script>alert(1)" not in shown
    page = address("question", "changelist")
    ids = list(map(str, Question.objects.values_list("pk", flat=True)))
    as_staff.post(page, {"action": "retire", "_selected_action": ids})
    assert Question.objects.live().count() == 2, "asked why first"
    as_staff.post(page, {"action": "retire", "_selected_action": ids, "reason": "Another book"})
    assert not Question.objects.live().exists()
    as_staff.post(page, {"action": "restore", "_selected_action": ids})
    assert Question.objects.live().count() == 2
    as_staff.post(address("question", "retire_with_reason", question.pk), {"reason": "Misleading"})
    question.refresh_from_db()
    assert question.retired_reason == "Misleading"


def test_staff_who_may_only_look_change_nothing(client: Client, bank: Bank) -> None:
    from django.contrib.auth.models import Permission

    looker = make_user("looker", is_staff=True)
    for codename in ("view_bank", "view_question", "view_syncrejection"):
        looker.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="quiz"))
    client.force_login(looker)
    assert client.get(address("bank", "changelist")).status_code == 200
    assert client.post(address("bank", "import_file", bank.pk), {}).status_code == 403
    rejection = SyncRejection.objects.get()
    assert client.post(address("syncrejection", "mend", rejection.pk), {"text": "x"}).status_code == 403
    ids = list(map(str, Question.objects.values_list("pk", flat=True)))
    client.post(address("question", "changelist"), {"action": "retire", "_selected_action": ids})
    assert Question.objects.live().count() == 2
