"""Another edition of a standard: who is flagged, what waits, what is proposed, and the list worked down to nothing."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from quiz.exceptions import EditionMissing, EditionRefused
from quiz.models import Bank, Category, Citation, Clause, Edition, Question, QuestionVersion, Standard
from quiz.services import banks, citing, clauses, editions, editions_deciding, files
from tests.factories.people import make_user
from tests.factories.quiz import make_category, make_question

pytestmark = pytest.mark.django_db
OLD = """number,title,text
4,Welding,
4.1,Preheat,Welds shall be preheated to 10 °C.
4.2,Cooling,Welds shall cool slowly in still air.
4.3,Peening,Peening of root passes is not allowed at all.
4.4,Cleaning,Slag shall be removed.
"""
NEW = """number,title,text
4,Welding,
4.1,Preheat,Welds shall be preheated to 20 °C.
4.2,Cooling,Welds  shall cool slowly in still air.
4.4,Cleaning,Slag shall be removed.
4.5,Peening,Peening of root passes is not allowed at all!
"""
POOL = """id,correct,question,refs,a,b
T1,A,At what preheat is it welded?,[4.1],10 °C,20 °C
T2,A,How does a weld cool?,[4.2],Slowly,Fast
T3,B,May a root pass be peened?,[4.3],Yes,No
T4,A,What is removed?,[4.4],Slag,Steel
T5,A,What holds of preheat and peening?,"[4.1, 4.3]",This,That
"""


@pytest.fixture
def keeper(db: None) -> User:
    user = make_user("keeper", is_staff=True)
    for codename in ("change_question", "view_question"):
        user.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="quiz"))
    return user


@pytest.fixture
def bank(db: None) -> Bank:
    """Questions that cite the edition of 2020."""
    bank = banks.bank_named(name="Pool")
    bring(OLD, "2020")
    files.import_file(bank=bank, stream=io.BytesIO(POOL.encode()), filename="pool.csv")
    assert Citation.objects.count() == 6
    return bank


def bring(table: str, name: str, *, is_current: bool = False) -> clauses.ClauseCounts:
    stream = io.BytesIO(table.encode())
    return clauses.import_clauses(stream=stream, standard_code="AWS D1.1", edition_name=name, is_current=is_current)[1]


def edition(name: str) -> Edition:
    return Edition.objects.get(name=name)


def clause(name: str, number: str) -> Clause:
    return Clause.objects.get(edition__name=name, number=number)


def question(key: str) -> Question:
    return Question.objects.get(external_id=key)


def cited(key: str) -> set[tuple[str, str, bool]]:
    """(edition, number, whether it waits)"""
    rows = Citation.objects.filter(question__external_id=key)
    return set(rows.values_list("clause__edition__name", "clause__number", "is_waiting"))


def flagged() -> set[str]:
    return set(Question.objects.flagged().values_list("external_id", flat=True))


def waiting(key: str) -> dict[str, int]:
    rows = Citation.objects.filter(question__external_id=key, is_waiting=True)
    return dict(rows.values_list("clause__number", "pk"))


def test_citations_of_the_same_words_go_along_and_the_others_wait(bank: Bank) -> None:
    counts = bring(NEW, "2025", is_current=True)
    assert counts.flagged == 3
    assert flagged() == {"T1", "T3", "T5"}
    assert question("T5").flag == "AWS D1.1 2025: 4.1 has other words, 4.3 is gone"
    assert cited("T2") == {("2025", "4.2", False)}  # blanks do not count
    assert cited("T4") == {("2025", "4.4", False)}
    assert cited("T5") == {("2020", "4.1", True), ("2020", "4.3", True)}


def test_flagged_questions_are_in_no_exam(bank: Bank) -> None:
    bring(NEW, "2025", is_current=True)
    assert set(Question.objects.for_exams().values_list("external_id", flat=True)) == {"T2", "T4"}


def test_an_edition_that_is_not_current_yet_changes_nothing(bank: Bank, keeper: User) -> None:
    counts = bring(NEW, "2025")
    assert (counts.flagged, flagged()) == (0, set())
    assert cited("T1") == {("2020", "4.1", False)}
    going = editions.go_over(actor=keeper, old_id=edition("2020").pk, new_id=edition("2025").pk)
    assert going.flagged == 3
    assert edition("2025").is_current and not edition("2020").is_current
    again = editions.go_over(actor=keeper, old_id=edition("2020").pk, new_id=edition("2025").pk)
    assert again.flagged == 0
    assert cited("T5") == {("2020", "4.1", True), ("2020", "4.3", True)}


def test_reading_clauses_again_moves_nothing_that_waits_or_was_decided(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    editions_deciding.move_citations(actor=keeper, targets={waiting("T3")["4.3"]: clause("2025", "4.5").pk})
    editions_deciding.still_right(actor=keeper, question_ids=[question("T5").pk])
    before = {key: cited(key) for key in ("T1", "T2", "T3", "T4", "T5")}
    assert before["T3"] == {("2025", "4.5", False)}
    bring(NEW, "2025", is_current=True)
    citing.cite_again(organisation_id=None)
    assert {key: cited(key) for key in before} == before


def test_a_reference_that_found_the_same_clause_stays_with_it(db: None, keeper: User) -> None:
    """4.1(a) is cited at 4.1, and so is 4.1: one citation, which waits for both."""
    bring(OLD, "2020")
    pool = 'id,correct,question,refs,a,b\nT1,A,What preheat?,"[4.1(a), 4.1]",10 °C,20 °C\n'
    files.import_file(bank=banks.bank_named(name="Pool"), stream=io.BytesIO(pool.encode()), filename="pool.csv")
    assert cited("T1") == {("2020", "4.1", False)}
    bring(NEW, "2025", is_current=True)
    assert cited("T1") == {("2020", "4.1", True)}


def test_what_may_take_a_clauses_place_is_proposed(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    told = {each.question.external_id: each for each in editions_deciding.told(Question.objects.flagged())}
    (preheat,) = told["T1"].waiting
    assert preheat.new is not None and preheat.new.number == "4.1"
    assert [target.clause.number for target in preheat.targets] == ["4.1"]
    (peening,) = told["T3"].waiting
    assert peening.new is None
    assert [target.clause.number for target in peening.targets] == ["4.5"]
    assert 0.9 < peening.targets[0].score < 1


def test_a_citation_is_moved_and_remembers_from_where(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    moved = editions_deciding.move_citations(actor=keeper, targets={waiting("T5")["4.3"]: clause("2025", "4.5").pk})
    assert moved == 1
    row = Citation.objects.get(question=question("T5"), clause__number="4.5")
    assert row.moved_from == clause("2020", "4.3")
    assert (row.decided_by, row.is_waiting) == (keeper, False)
    assert "T5" in flagged(), "another citation of it still waits"
    editions_deciding.move_citations(actor=keeper, targets={waiting("T5")["4.1"]: clause("2025", "4.1").pk})
    assert "T5" not in flagged()


def test_a_citation_moves_to_a_current_clause_of_its_standard_only(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    other = Standard.objects.create(code="EN 1090")
    foreign = Clause.objects.create(
        edition=Edition.objects.create(standard=other, name="2018"), number="4.1", position=1
    )
    for target in (foreign, clause("2020", "4.4")):
        with pytest.raises(EditionRefused):
            editions_deciding.move_citations(actor=keeper, targets={waiting("T1")["4.1"]: target.pk})
    with pytest.raises(EditionMissing):
        editions_deciding.move_citations(actor=keeper, targets={waiting("T1")["4.1"]: uuid4()})
    assert cited("T1") == {("2020", "4.1", True)}


def test_still_right_cites_the_same_number_or_stays_where_it_is(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    assert editions_deciding.still_right(actor=keeper, question_ids=[question("T5").pk, question("T2").pk]) == 1
    assert cited("T5") == {("2025", "4.1", False), ("2020", "4.3", False)}
    assert question("T5").flag == ""


def test_what_is_retired_leaves_the_list_and_is_flagged_still(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    assert editions_deciding.retire(actor=keeper, question_ids=[question("T1").pk, question("T2").pk]) == 1
    assert flagged() == {"T3", "T5"}
    assert question("T1").flag and question("T2").retired_at is None


def test_a_third_edition_asks_again_where_words_changed_again(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    editions_deciding.still_right(actor=keeper, question_ids=Question.objects.values_list("pk", flat=True))
    third = NEW.replace("20 °C", "30 °C")
    assert bring(third, "2030", is_current=True).flagged == 2
    assert flagged() == {"T1", "T5"}
    assert cited("T1") == {("2025", "4.1", True)}
    assert cited("T3") == {("2020", "4.3", False)}  # that was decided


def test_words_changed_in_place_flag_those_who_cite_them(bank: Bank) -> None:
    assert bring(OLD, "2020").flagged == 0
    mended = OLD.replace("10 °C", "15 °C").replace("4.4,Cleaning,Slag shall be removed.\n", "")
    assert bring(mended, "2020").flagged == 3
    assert flagged() == {"T1", "T4", "T5"}
    assert question("T4").flag == "AWS D1.1 2020, another file: 4.4 is gone"


def test_nothing_of_what_was_answered_moves(bank: Bank, keeper: User) -> None:
    before = list(QuestionVersion.objects.order_by("pk").values())
    bring(NEW, "2025", is_current=True)
    editions_deciding.move_to_best(actor=keeper, question_ids=Question.objects.values_list("pk", flat=True))
    assert list(QuestionVersion.objects.order_by("pk").values()) == before
    assert flagged() == set()


# -- pages --


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, **query: object) -> str:
    return f"{reverse(f'quiz:{name}')}?{'&'.join(f'{key}={value}' for key, value in query.items())}"


def pair() -> dict[str, object]:
    return {"old": edition("2020").pk, "new": edition("2025").pk}


def test_staff_see_what_changed_go_over_and_work_the_list_down_to_nothing(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025")
    client = client_of(keeper)
    assert "No question is flagged" in client.get(url("editions")).content.decode()
    page = client.get(url("editions-clauses", **pair())).content.decode()
    assert "<del>10</del>" in page and "<ins>20</ins>" in page and "cited by 2 questions" in page
    assert "is not the current edition" in page
    gone = client.get(url("editions-clauses", **pair(), state="removed")).content.decode()
    assert "4.5" in gone and "alike" in gone
    assert client.post(url("editions-clauses", **pair()))["Location"] == reverse("quiz:editions-flagged")
    overview = client.get(reverse("quiz:overview")).content.decode()
    assert "3 questions flagged" in overview and reverse("quiz:editions-flagged") in overview
    listed = client.get(url("editions-flagged")).content.decode()
    assert "3 to decide" in listed and "4.5, 9" in listed
    one, two, three = (question(key) for key in ("T1", "T3", "T5"))
    client.post(url("editions-flagged"), {"do": f"right:{one.pk}"})
    client.post(
        url("editions-flagged"), {"do": f"move:{two.pk}", f"target-{waiting('T3')['4.3']}": clause("2025", "4.5").pk}
    )
    assert flagged() == {"T5"}
    client.post(url("editions-flagged"), {"do": "retire", "question": [str(three.pk)]})
    assert "Nothing is flagged" in client.get(url("editions-flagged")).content.decode()
    assert "flagged" not in client.get(reverse("quiz:overview")).content.decode()


def test_all_that_are_ticked_move_at_once(bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    chosen = {"question": [str(question(key).pk) for key in ("T1", "T3")]}
    targets = {
        f"target-{waiting('T1')['4.1']}": clause("2025", "4.1").pk,
        f"target-{waiting('T3')['4.3']}": clause("2025", "4.5").pk,
    }
    client_of(keeper).post(url("editions-flagged"), {"do": "move"} | chosen | targets)
    assert flagged() == {"T5"}


@pytest.mark.parametrize("what", ["move", "right", "retire"])
def test_the_whole_list_is_decided_at_once(what: str, bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    client_of(keeper).post(url("editions-flagged"), {"do": what, "whole": "1"})
    assert flagged() == set()


@pytest.mark.django_db(transaction=True)
def test_a_long_list_is_moved_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = User.objects.create_superuser("root@example.com", "a long password")
    bring(OLD, "2020")
    files.import_file(bank=banks.bank_named(name="Pool"), stream=io.BytesIO(POOL.encode()), filename="pool.csv")
    bring(NEW, "2025", is_current=True)
    monkeypatch.setattr(editions_deciding, "INLINE", 2)
    answer = client_of(keeper).post(url("editions-flagged"), {"do": "move", "whole": "1"})
    job = Job.objects.get(kind=editions_deciding.MOVE)
    assert answer["Location"] == reverse("jobs:detail", args=[job.pk])
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"moved": 4, "still_flagged": 0})
    assert flagged() == set()


@pytest.mark.parametrize(
    "wish",
    [{"do": "right"}, {"do": "dance", "question": "x"}, {"do": "right:nonsense"}, {"do": "move:" + "0" * 32}, {}],
)
def test_what_can_not_be_decided_is_told(wish: dict[str, str], bank: Bank, keeper: User) -> None:
    bring(NEW, "2025", is_current=True)
    answer = client_of(keeper).post(url("editions-flagged"), wish)
    assert answer.status_code == 400 and "This was not done" in answer.content.decode()
    assert len(flagged()) == 3


def test_only_two_editions_of_one_standard_are_compared(bank: Bank, keeper: User) -> None:
    client = client_of(keeper)
    same = edition("2020").pk
    other = Edition.objects.create(standard=Standard.objects.create(code="EN 1090"), name="2018").pk
    assert client.get(url("editions-clauses", old=same, new=same)).status_code == 400
    assert client.get(url("editions-clauses", old=same, new=other)).status_code == 400
    for bad in ("", "nonsense", uuid4()):
        assert client.get(url("editions-clauses", old=same, new=bad)).status_code == 404


@pytest.mark.parametrize("name", ["editions", "editions-flagged", "editions-clauses", "editions-questions"])
def test_strangers_owners_and_mere_lookers_find_no_editions(name: str, bank: Bank, owner: User, stranger: User) -> None:
    bring(NEW, "2025", is_current=True)
    looker = make_user("looker", is_staff=True)
    not_staff = make_user("not-staff")
    not_staff.user_permissions.add(Permission.objects.get(codename="change_question"))
    pools = {"old": f"{bank.pk}:", "new": f"{bank.pk}:2026"}
    address = url(name, **(pair() if name == "editions-clauses" else pools if name == "editions-questions" else {}))
    for user in (owner, stranger, looker, not_staff):
        assert client_of(user).get(address).status_code == 404
        if name != "editions":
            assert client_of(user).post(address, {"do": "right", "whole": "1"}).status_code == 404
        assert "flagged" not in client_of(user).get(reverse("quiz:overview")).content.decode()
    assert Client().get(address).status_code == 302
    assert len(flagged()) == 3


def test_services_refuse_whoever_keeps_no_questions(bank: Bank, owner: User) -> None:
    bring(NEW, "2025", is_current=True)
    some = [question("T1").pk]
    for refused in (
        lambda: editions_deciding.still_right(actor=owner, question_ids=some),
        lambda: editions_deciding.retire(actor=owner, question_ids=some),
        lambda: editions_deciding.move_to_best(actor=owner, question_ids=some),
        lambda: editions_deciding.move_citations(actor=owner, targets={}),
        lambda: editions_deciding.start_moving(actor=owner),
    ):
        with pytest.raises(EditionMissing):
            refused()
    assert len(flagged()) == 3


@pytest.mark.parametrize("name", ["editions", "editions-flagged", "editions-clauses"])
def test_a_page_asks_as_often_with_many_rows_as_with_one(name: str, keeper: User) -> None:
    client = client_of(keeper)

    def changed(count: int) -> None:
        """Two editions that differ in `count` clauses, each with a question that cites it."""
        rows = [f"{number},Title,Old words of {number}" for number in range(1, count + 1)]
        bring("number,title,text\n" + "\n".join(rows) + "\n", "2020")
        for number in range(count):
            make_citing(category, str(number + 1))
        bring("number,title,text\n" + "\n".join(rows).replace("Old", "New") + "\n", "2025", is_current=True)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url(name, **(pair() if name == "editions-clauses" else {}))).status_code == 200
        return len(captured)

    category = make_category()
    changed(1)
    queries()
    one = queries()
    Standard.objects.all().delete()
    Question.objects.all().delete()
    changed(50)
    assert len(flagged()) == 50
    assert queries() == one


def make_citing(category: Category, number: str) -> None:
    made = make_question(category, references=[number])
    Citation.objects.create(question=made, clause=clause("2020", number), as_written=number)
