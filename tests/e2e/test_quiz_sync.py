"""Staff in a browser: questions come from Airtable with live progress, two are rejected, mended and read again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from quiz.models import Bank, Question, SyncRejection
from tests.factories.people import make_user
from tests.jobs.processes import wait_until
from tests.standins import airtable_questions as office
from tests.standins.airtable_base import Airtable, Bucket

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
RECORDS = 250  # three pages


class Gate(Bucket):
    """Any number of requests, but the second page of records waits until it is opened."""

    def __init__(self, airtable: Airtable) -> None:
        super().__init__(per_s=1000.0)
        self.airtable, self.is_open = airtable, threading.Event()

    def take(self) -> None:
        pages = sum(path.endswith(office.TABLE) or "listRecords" in path for _, path in self.airtable.asked)
        if pages >= 2:
            self.is_open.wait(PATIENCE_MS / 1000)


@pytest.fixture
def gate(airtable: Airtable) -> Iterator[Gate]:
    table = office.welding_table(RECORDS)
    airtable.tables[table.id] = table
    airtable.asked.clear()
    gate = Gate(airtable)
    airtable.bucket = gate
    yield gate
    gate.is_open.set()


@pytest.fixture
def staff(transactional_db: None) -> User:
    user = make_user("keeper", is_staff=True)
    user.is_superuser = True
    user.save()
    return user


def test_two_rejected_questions_are_mended_and_read_again(
    signed_in: Callable[..., Page], staff: User, airtable: Airtable, gate: Gate
) -> None:
    table = airtable.tables[office.TABLE]
    bad = [office.record_id(number) for number in (10, 20)]
    for record in bad:
        airtable.put(table, record, **{office.CORRECT: None})
    bank = Bank.objects.create(name="Office", kind="airtable", base_id=airtable.base_id, table_id=office.TABLE)
    page = signed_in(staff)
    page.goto(reverse("admin:quiz_bank_change", args=[bank.pk]))
    page.get_by_role("link", name="Sync with Airtable").click()
    page.get_by_role("button", name="Sync", exact=True).click()

    # The job's page follows by itself
    page.wait_for_url("**/jobs/*/")
    expect(page.locator("[data-progress-step]")).to_contain_text("Read 100 records")
    page.evaluate("window.isTheSamePage = true")
    gate.is_open.set()
    expect(page.locator("#job .page-title .badge-completed")).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    assert Question.objects.live().count() == RECORDS - 2

    # Two were rejected; they are mended where they are kept, and read again
    page.goto(reverse("admin:quiz_bank_change", args=[bank.pk]))
    page.get_by_role("link", name="What was rejected").click()
    for record in bad:
        expect(page.get_by_role("link", name=record)).to_be_visible()
    for record in bad:
        airtable.put(table, record, **{office.CORRECT: "A"})
    for record in bad:
        read_again(page, record)
        page.goto(reverse("admin:quiz_syncrejection_changelist") + f"?bank__id__exact={bank.pk}&state=open")
    for record in bad:
        expect(page.get_by_role("link", name=record)).to_have_count(0)
    assert Question.objects.live().count() == RECORDS


def read_again(page: Page, record: str) -> None:
    """From the list of what was rejected."""
    page.get_by_role("link", name=record).click()
    page.get_by_role("link", name="Mend, or read again").click()
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text("They are being read again")).to_be_visible()
    is_open = SyncRejection.objects.unresolved().filter(record_id=record)
    wait_until(lambda: not is_open.exists(), "the record has been read")
