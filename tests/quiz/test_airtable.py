"""Questions from Airtable, by real HTTP against a stand-in with Airtable's limits and bad days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from config.settings import base
from quiz.airtable.exceptions import AirtableAway, AirtableRefused
from quiz.exceptions import BankBusy, BankRefused, TooManyVanished
from quiz.models import Bank, Question, QuestionVersion, SyncRejection, SyncRun
from quiz.services import runs, storing, syncing
from tests.standins import airtable_questions as office
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable, Bucket, Table

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def airtable(settings: Any) -> Iterator[Airtable]:
    """30 records; ten times as fast as Airtable, and it is asked as much faster."""
    standin = office.welding_base(30)
    standin.bucket = Bucket(per_s=50.0, lockout_s=0.5)
    settings.AIRTABLE_REQUESTS_PER_S = 45.0
    standin.slow_s = 2.0
    with serving(standin):
        settings.AIRTABLE_URL, settings.AIRTABLE_TOKEN = standin.url, standin.token
        settings.AIRTABLE_LOCKOUT_S, settings.AIRTABLE_BACKOFF_S, settings.AIRTABLE_TIMEOUT_S = 0.5, 0.02, 20.0
        yield standin


@pytest.fixture
def table(airtable: Airtable) -> Table:
    return airtable.tables[office.TABLE]


@pytest.fixture
def bank(airtable: Airtable) -> Bank:
    return Bank.objects.create(name="Office", kind="airtable", base_id=airtable.base_id, table_id=office.TABLE)


def sync(bank: Bank, **more: Any) -> SyncRun:
    run = syncing.sync_bank(bank_id=bank.pk, **more)
    assert run.fetched == run.created + run.updated + run.unchanged + run.rejected
    return run


def counts(run: SyncRun) -> dict[str, int]:
    names = ("fetched", "created", "updated", "unchanged", "rejected", "retired")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


def question(number: int) -> Question:
    return Question.objects.select_related("current", "category").get(external_id=office.record_id(number))


def contents() -> list[tuple[Any, ...]]:
    """All that readers could see of the questions, and the row versions that any write would change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text, ctid::text FROM quiz_question ORDER BY id")
        questions = cursor.fetchall()
        cursor.execute("SELECT id, xmin::text, ctid::text FROM quiz_questionversion ORDER BY id")
        return questions + cursor.fetchall()


def test_records_become_questions_and_a_second_run_writes_no_row(bank: Bank) -> None:
    assert counts(sync(bank)) == {"fetched": 30, "created": 30}
    kinds = dict(QuestionVersion.objects.values_list("question__external_id", "kind"))
    assert [kinds[office.record_id(number)] for number in (1, 2, 3, 4, 5)] == [
        "true_false", "numeric", "short", "multiple", "single"
    ]  # fmt: skip
    fifth = question(5)
    assert fifth.current is not None
    assert fifth.category.name == "Inspection"
    assert fifth.current.references == ["AWS D1.1 6.6"]
    assert [each["share"] for each in fifth.current.body["choices"]] == ["0", "1", "0", "0"]
    before = contents()
    assert counts(sync(bank)) == {"fetched": 30, "unchanged": 30}
    assert contents() == before


def test_a_changed_record_is_a_new_version_and_nothing_else_is_touched(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    sync(bank)
    airtable.put(table, office.record_id(5), **{office.STEM: "At what preheat, now?"})
    airtable.put(table, office.record_id(6), **{office.NOTES: "Nobody asks for this field"})
    assert counts(sync(bank)) == {"fetched": 30, "updated": 1, "unchanged": 29}
    current = question(5).current
    assert current is not None
    assert (current.number, current.stem) == (2, "At what preheat, now?")
    assert question(6).versions.count() == 1


def test_a_bad_record_is_rejected_with_reasons_and_its_last_good_version_stays_live(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    sync(bank)
    airtable.put(table, office.record_id(5), **{office.CORRECT: "F"})
    airtable.put(table, office.record_id(6), **{office.STEM: None, office.DIFFICULTY: "Fiendish"})
    airtable.put(table, office.record_id(7), **{office.EXPLANATION: {"error": "#ERROR!"}})
    assert counts(sync(bank)) == {"fetched": 30, "unchanged": 27, "rejected": 3}
    told = {each.record_id[-1]: each for each in SyncRejection.objects.unresolved()}
    assert (told["5"].code, told["5"].field) == ("answer_not_a_choice", "Correct")
    assert told["5"].raw[office.CORRECT] == "F"
    assert "no question text" in told["6"].reason
    assert "Fiendish" in told["6"].reason, "all that is wrong with a record is told at once"
    assert told["7"].code == "formula_error"
    assert Question.objects.live().count() == 30
    kept = set(SyncRejection.objects.values_list("pk", flat=True))
    sync(bank)
    assert set(SyncRejection.objects.values_list("pk", flat=True)) == kept, "still the same: not told a second time"
    airtable.put(table, office.record_id(5), **{office.CORRECT: "A"})
    assert counts(sync(bank)) == {"fetched": 30, "updated": 1, "unchanged": 27, "rejected": 2}
    assert {each.record_id[-1] for each in SyncRejection.objects.unresolved()} == {"6", "7"}


def test_vanished_records_are_retired_and_come_back(airtable: Airtable, table: Table, bank: Bank) -> None:
    sync(bank)
    cells = dict(table.records[office.record_id(5)])
    airtable.remove(table, office.record_id(5))
    assert counts(sync(bank)) == {"fetched": 29, "unchanged": 29, "retired": 1}
    assert question(5).retired_reason == storing.VANISHED
    airtable.put(table, office.record_id(5), **cells)
    assert counts(sync(bank)) == {"fetched": 30, "updated": 1, "unchanged": 29}
    assert question(5).retired_at is None
    assert question(5).versions.count() == 1


def test_an_unticked_record_is_not_asked(airtable: Airtable, table: Table, bank: Bank) -> None:
    sync(bank)
    airtable.put(table, office.record_id(5), **{office.ACTIVE: False})
    assert counts(sync(bank)) == {"fetched": 30, "updated": 1, "unchanged": 29}
    assert question(5).retired_reason == storing.INACTIVE
    assert counts(sync(bank)) == {"fetched": 30, "unchanged": 30}


def test_more_vanished_than_is_believed_changes_nothing_unless_forced(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    sync(bank)
    airtable.remove(table, *map(office.record_id, range(1, 22)))
    airtable.put(table, office.record_id(25), **{office.STEM: "Changed with them"})
    before = contents()
    with pytest.raises(TooManyVanished, match="21 of 30"):
        sync(bank)
    assert contents() == before
    failed = SyncRun.objects.first()
    assert failed is not None
    assert failed.status == "failed"
    assert "--force" in failed.error
    assert counts(sync(bank, force=True)) == {"fetched": 9, "updated": 1, "unchanged": 8, "retired": 21}


def test_an_emptied_table_is_not_believed(airtable: Airtable, table: Table, bank: Bank) -> None:
    airtable.remove(table, *map(office.record_id, range(6, 31)))
    sync(bank)
    airtable.remove(table, *map(office.record_id, range(1, 6)))
    with pytest.raises(TooManyVanished):
        sync(bank)
    assert Question.objects.live().count() == 5


def test_a_dry_run_counts_and_writes_nothing(airtable: Airtable, table: Table, bank: Bank) -> None:
    assert counts(sync(bank, is_dry=True)) == {"fetched": 30, "created": 30}
    assert not Question.objects.exists()
    sync(bank)
    airtable.remove(table, office.record_id(1))
    airtable.put(table, office.record_id(2), **{office.CORRECT: "warm"})
    before = contents()
    assert counts(sync(bank, is_dry=True)) == {"fetched": 29, "unchanged": 28, "rejected": 1, "retired": 1}
    assert contents() == before
    assert not SyncRejection.objects.exists()


def test_a_renamed_field_is_told_and_goes_on_being_read(airtable: Airtable, table: Table, bank: Bank) -> None:
    sync(bank)
    airtable.change_field(table, office.STEM, name="Frage")
    run = sync(bank)
    assert counts(run) == {"fetched": 30, "unchanged": 30}
    assert run.drift == ["The field “Question” (stem) is called “Frage” now."]
    assert sync(bank).drift == [], "once is enough"


def test_a_retyped_field_is_told_and_what_can_not_be_read_is_rejected(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    sync(bank)
    airtable.change_field(table, office.CATEGORY, type="multipleRecordLinks")
    run = sync(bank)
    assert counts(run) == {"fetched": 30, "rejected": 30}
    assert any("was singleSelect and is multipleRecordLinks now" in each for each in run.drift)
    assert set(SyncRejection.objects.values_list("code", flat=True)) == {"linked_record"}
    assert Question.objects.live().count() == 30


def test_a_mapped_field_that_is_gone_stops_the_run(airtable: Airtable, table: Table, bank: Bank) -> None:
    sync(bank)
    before = contents()
    airtable.remove_field(table, office.EXPLANATION)
    with pytest.raises(BankRefused, match="explanation"):
        sync(bank)
    assert contents() == before
    failed = SyncRun.objects.first()
    assert failed is not None
    assert failed.drift == ["The field “Explanation” (explanation) is gone."]


def test_a_webhook_tells_what_has_changed_and_only_that_is_asked_for(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    sync(bank)
    airtable.put(table, office.record_id(5), **{office.STEM: "Changed"})
    airtable.put(table, office.record_id(31), **office.welding_question(31))
    airtable.put(table, office.record_id(6), **{office.CORRECT: "Z"})
    airtable.remove(table, office.record_id(7))
    airtable.put(table, office.record_id(8), **{office.STEM: "Changed and gone"})
    airtable.remove(table, office.record_id(8))
    run = sync(bank, is_full=False)
    assert run.kind == "delta"
    assert counts(run) == {"fetched": 3, "created": 1, "updated": 1, "rejected": 1, "retired": 2}
    assert question(7).retired_at is not None
    airtable.asked.clear()
    run = sync(bank, is_full=False)
    assert (run.kind, counts(run)) == ("delta", {})
    assert [path.rpartition("/")[2] for _, path in airtable.asked] == ["payloads"]
    assert counts(sync(bank)) == {"fetched": 29, "unchanged": 28, "rejected": 1}, "the full scan finds the same"


def test_without_a_webhook_the_changes_are_read_in_full(airtable: Airtable, table: Table, bank: Bank) -> None:
    assert sync(bank, is_full=False).kind == "full"
    airtable.put(table, office.record_id(5), **{office.STEM: "Changed"})
    airtable.forget_webhooks()
    run = sync(bank, is_full=False)
    assert (run.kind, counts(run)) == ("full", {"fetched": 30, "updated": 1, "unchanged": 29})
    airtable.put(table, office.record_id(5), **{office.STEM: "Changed again"})
    assert sync(bank, is_full=False).kind == "delta"


def test_rejected_records_are_read_again_by_themselves(airtable: Airtable, table: Table, bank: Bank) -> None:
    for number in (5, 6):
        airtable.put(table, office.record_id(number), **{office.CORRECT: "Z"})
    sync(bank)
    airtable.put(table, office.record_id(5), **{office.CORRECT: "A"})
    run = sync(bank, record_ids=[office.record_id(5), office.record_id(6)])
    assert (run.kind, counts(run)) == ("retry", {"fetched": 2, "created": 1, "rejected": 1})
    assert SyncRejection.objects.unresolved().get().record_id == office.record_id(6)
    assert Question.objects.live().count() == 29


def test_one_run_of_a_bank_at_a_time(bank: Bank) -> None:
    def again(done: int, total: int, message: str) -> None:
        with pytest.raises(BankBusy):
            _in_another_session(bank)

    sync(bank, report=again)


def _in_another_session(bank: Bank) -> None:
    import threading

    found: list[BaseException] = []

    def run() -> None:
        try:
            syncing.sync_bank(bank_id=bank.pk)
        except BaseException as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise found[0]


def test_a_run_stopped_anywhere_changes_nothing_and_the_next_one_says_so(bank: Bank) -> None:
    class Stopped(BaseException):
        pass

    def stop(done: int, total: int, message: str) -> None:
        raise Stopped("The worker is told to stop.")

    with pytest.raises(Stopped):
        sync(bank, report=stop)
    assert not Question.objects.exists()
    assert SyncRun.objects.get().status == "failed"
    SyncRun.objects.update(status="running")  # as a process leaves it that is killed
    assert counts(sync(bank)) == {"fetched": 30, "created": 30}
    assert SyncRun.objects.get(status="failed").error == runs.INTERRUPTED


@pytest.mark.parametrize("fault", ["429", "502", "reset", "cut", "expire", "no_json"])
def test_a_bad_day_of_airtable_is_outlasted(airtable: Airtable, table: Table, bank: Bank, fault: str) -> None:
    for number in range(31, 151):
        airtable.put(table, office.record_id(number), **office.welding_question(number))
    airtable.faults.extend(["", fault] if fault == "expire" else [fault])
    assert counts(sync(bank)) == {"fetched": 150, "created": 150}
    assert not airtable.faults


def test_an_answer_that_drips_is_given_up_and_asked_for_again(airtable: Airtable, bank: Bank, settings: Any) -> None:
    settings.AIRTABLE_TIMEOUT_S = 1.0
    airtable.faults.append("slow")
    assert counts(sync(bank)) == {"fetched": 30, "created": 30}


def test_an_iterator_that_is_lost_again_and_again_fails_the_run_for_now(
    airtable: Airtable, table: Table, bank: Bank
) -> None:
    for number in range(31, 151):
        airtable.put(table, office.record_id(number), **office.welding_question(number))
    airtable.faults.extend(["", "expire"] * 4)
    with pytest.raises(AirtableAway, match="lost its place"):
        sync(bank)
    assert not Question.objects.exists()


def test_what_asking_again_can_not_mend_is_said_at_once(airtable: Airtable, bank: Bank, settings: Any) -> None:
    airtable.faults.append("billing")
    with pytest.raises(AirtableRefused, match="used up"):
        sync(bank)
    Bank.objects.update(table_id="tblNOWHERE")
    with pytest.raises(AirtableRefused, match="no such base or table"):
        sync(bank)
    Bank.objects.update(base_id="appNOWHERE")
    with pytest.raises(AirtableRefused, match="no such base or table"):
        sync(bank)
    settings.AIRTABLE_TOKEN = "patWRONG"
    with pytest.raises(AirtableRefused, match="does not accept the token"):
        sync(bank)
    settings.AIRTABLE_TOKEN = ""
    with pytest.raises(AirtableRefused, match="AIRTABLE_TOKEN"):
        sync(bank)
    settings.SYNC_MODE = "off"
    with pytest.raises(BankRefused, match="SYNC_MODE"):
        sync(bank)


def test_the_rate_is_kept(airtable: Airtable, table: Table, bank: Bank, settings: Any) -> None:
    """Airtable's own: 5 a second."""
    settings.AIRTABLE_REQUESTS_PER_S = base.AIRTABLE_REQUESTS_PER_S
    airtable.bucket = Bucket()
    for number in range(31, 901):
        airtable.put(table, office.record_id(number), **office.welding_question(number))
    sync(bank)
    assert airtable.bucket.refused == 0
