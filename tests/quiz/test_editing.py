"""Questions written and changed by people: what was asked stays, and whose word counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from config import cache
from quiz.exceptions import EditedMeanwhile, KeptElsewhere, NotAQuestion
from quiz.exchange.item import Accepted, Item, Kind
from quiz.models import Bank, Question, SyncRejection
from quiz.services import editing, mending, storing
from quiz.services.bodies import item_of
from tests.factories.people import make_user
from tests.factories.quiz import make_bank, make_category, make_question
from tests.quiz.editing_cast import ITEMS, edit, imported, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("root@example.com", "a long password")


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def bank() -> Bank:
    return Bank.objects.create(name="Ours", kind=Bank.Kind.OWN)


def address(page: str, *arguments: Any) -> str:
    return reverse(f"admin:quiz_question_{page}", args=arguments)


def looker(*codenames: str) -> User:
    user = make_user("looker", is_staff=True)
    for codename in codenames:
        user.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="quiz"))
    return user


# --- what is written ---


def test_an_edit_is_another_wording_and_the_same_text_is_none(staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    assert edit(staff, question, ITEMS[Kind.SINGLE]) is False
    assert edit(staff, question, ITEMS[Kind.NUMERIC]) is True
    old, new = question.versions.order_by("number")
    assert (old.kind, new.kind, new.created_by) == ("single", "numeric", staff)
    question.refresh_from_db()
    assert question.current_id == new.pk
    assert question.keeper_hash == "", "it is written here"


def test_a_title_or_category_alone_is_no_wording(staff: User, bank: Bank) -> None:
    from dataclasses import replace

    question = written(staff, bank)
    assert edit(staff, question, replace(ITEMS[Kind.SINGLE], title="Another"), category="Inspection")
    question.refresh_from_db()
    assert (question.title, question.category.name, question.versions.count()) == ("Another", "Inspection", 1)


def test_an_edit_makes_the_quizzes_kept_in_caches_stale(
    staff: User, bank: Bank, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    question = written(staff, bank)
    with django_capture_on_commit_callbacks(execute=True):
        cache.get_or_set("quiz", ("probe",), lambda: "old")
    with django_capture_on_commit_callbacks(execute=True) as calls:
        edit(staff, question, ITEMS[Kind.NUMERIC])
    assert calls
    assert cache.get_or_set("quiz", ("probe",), lambda: "new") == "new"


def test_a_retired_question_stays_retired_when_it_is_edited(staff: User, bank: Bank) -> None:
    for reason in ("Misleading", storing.VANISHED):
        question = written(staff, bank)
        storing.retire(question_ids=[question.pk], reason=reason)
        assert edit(staff, question, ITEMS[Kind.NUMERIC])
        question.refresh_from_db()
        assert question.retired_reason == reason
        assert question.retired_at is not None


def test_what_can_not_be_asked_is_refused_by_the_service_too(staff: User, bank: Bank) -> None:
    with pytest.raises(NotAQuestion) as refused:
        editing.write_question(actor=staff, bank_id=bank.pk, item=Item(Kind.SINGLE, "?"), category="")
    assert refused.value.extra["field"] == "answers"
    question = written(staff, bank)
    taken = Item(Kind.SHORT, "?", external_id=question.external_id, accepted=(Accepted("a"),))
    with pytest.raises(NotAQuestion, match="already"):
        editing.write_question(actor=staff, bank_id=bank.pk, item=taken, category="")


# --- whose word counts ---


def test_a_question_of_airtable_is_changed_there(as_staff: Client, staff: User) -> None:
    bank = Bank.objects.create(name="Office", kind="airtable", base_id="appAAAAAAAAAA", table_id="tblBBBBBBBBBB")
    question = make_question(make_category("Welding"), bank)
    with pytest.raises(KeptElsewhere) as refused:
        edit(staff, question, ITEMS[Kind.SINGLE])
    url = f"https://airtable.com/appAAAAAAAAAA/tblBBBBBBBBBB/{question.external_id}"
    assert refused.value.extra["url"] == url
    with pytest.raises(KeptElsewhere):
        editing.write_question(actor=staff, bank_id=bank.pk, item=ITEMS[Kind.SINGLE], category="")
    assert as_staff.get(address("edit", question.pk))["Location"] == address("change", question.pk)
    assert url in as_staff.get(address("change", question.pk)).content.decode()


def test_what_was_edited_here_stays_when_its_file_comes_again(staff: User) -> None:
    bank = make_bank()
    imported(bank)
    question = Question.objects.select_related("category").get()
    edit(staff, question, ITEMS[Kind.ORDERING])
    again = imported(bank)
    assert (again.unchanged, again.updated, again.rejected) == (1, 0, 0), "the file says nothing new"
    changed = imported(bank, "Clean")
    assert (changed.fetched, changed.unchanged, changed.updated, changed.rejected) == (1, 0, 0, 1)
    question.refresh_from_db()
    assert question.current is not None
    assert question.current.kind == "ordering"
    rejection = SyncRejection.objects.unresolved().get()
    assert (rejection.code, rejection.stage) == ("edited_here", "validate")
    imported(bank, "Clean")
    assert SyncRejection.objects.unresolved().get() == rejection, "told once"


def test_its_file_is_taken_over_an_edit_where_somebody_says_so(staff: User) -> None:
    bank = make_bank()
    imported(bank)
    question = Question.objects.select_related("category").get()
    edit(staff, question, ITEMS[Kind.ORDERING])
    imported(bank, "Clean")
    rejection = SyncRejection.objects.unresolved().get()
    mending.read_again(rejection_id=rejection.pk, actor=staff, text=rejection.raw)
    question.refresh_from_db()
    assert question.current is not None
    assert (question.current.kind, question.keeper_hash) == ("single", "")
    assert imported(bank, "Clean").unchanged == 1
    edit(staff, question, ITEMS[Kind.ORDERING])
    assert imported(bank, "Clean", replaces_edits=True).updated == 1
    assert imported(bank, "Clean", replaces_edits=True).unchanged == 1


def test_a_file_that_has_caught_up_keeps_the_question_again(staff: User) -> None:
    bank, other = make_bank(), make_bank()
    imported(bank)
    imported(other, "Clean")
    question = Question.objects.select_related("category").get(bank=bank)
    current = Question.objects.select_related("current").get(bank=other).current
    assert current is not None
    storing.categories_named(names=[bank.name], organisation_id=None)
    edit(staff, question, item_of(current, title="First"))
    assert imported(bank, "Clean").rejected == 0
    question.refresh_from_db()
    assert question.keeper_hash == ""
    assert imported(bank, "Grind").updated == 1
    assert question.versions.count() == 3


def test_what_was_written_here_is_not_replaced_by_a_file_with_its_id(staff: User) -> None:
    from dataclasses import replace

    bank = make_bank()
    item = replace(ITEMS[Kind.SINGLE], external_id="G1")
    editing.write_question(actor=staff, bank_id=bank.pk, item=item, category="")
    assert imported(bank).rejected == 1


def test_edited_meanwhile_is_told_by_the_service(staff: User, bank: Bank) -> None:
    question = written(staff, bank)
    edit(staff, question, ITEMS[Kind.SHORT])
    with pytest.raises(EditedMeanwhile) as told:
        edit(staff, question, ITEMS[Kind.ORDERING])
    question.refresh_from_db()
    assert told.value.extra["seen"] == question.source_hash
