"""Two editions of a bank's questions: identical, changed, new and gone ones, and successors accepted by a person."""

from __future__ import annotations

import io

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
from quiz.models import Bank, Question
from quiz.services import banks, editions_pools, files
from quiz.services.editions_pools import Pool
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
HEAD = "id,correct,question,a,b\n"
OLD = HEAD + (
    "T1,A,What joins plates?,A weld,A nail\n"
    "T2,A,At what temperature is a thick plate preheated?,10 °C,20 °C\n"
    "T3,A,Which gas shields the arc of GMAW welding?,Argon,Air\n"
    "T4,B,Who invented the wheel?,Nobody,Somebody\n"
)
NEW = HEAD + (
    "T1,A,What joins plates?,A weld,A nail\n"
    "T2,B,At what temperature is a thick plate preheated?,10 °C,20 °C\n"
    "T9,A,Which gas shields the arc in GMAW welding?,Argon,Air\n"
)


@pytest.fixture
def keeper(db: None) -> User:
    user = make_user("keeper", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_question"))
    return user


def bring(table: str, edition: str) -> Bank:
    bank = banks.bank_named(name="Pool")
    files.import_file(bank=bank, stream=io.BytesIO(table.encode()), filename="pool.csv", edition=edition)
    return bank


@pytest.fixture
def pools(db: None) -> tuple[Pool, Pool]:
    bring(OLD, "2022")
    bank = bring(NEW, "2026")
    return Pool(bank.pk, "2022"), Pool(bank.pk, "2026")


def question(key: str, edition: str = "2022") -> Question:
    return Question.objects.get(external_id=key, edition=edition)


def successors() -> dict[str, str]:
    rows = Question.objects.filter(edition="2022", successor__isnull=False)
    return dict(rows.values_list("external_id", "successor__external_id"))


def test_two_editions_stand_beside_each_other(pools: tuple[Pool, Pool], keeper: User) -> None:
    told = editions_pools.compare(actor=keeper, old=pools[0], new=pools[1], successors_of=None)
    keys = {state: told.keys_of(state) for state in ("identical", "changed", "removed", "added")}
    assert keys == {"identical": ["T1"], "changed": ["T2"], "removed": ["T3", "T4"], "added": ["T9"]}
    proposed = {key: [each for each, _ in several] for key, several in told.proposed.items()}
    assert proposed == {"T1": ["T1"], "T2": ["T2"], "T3": ["T9"], "T4": []}


def test_successors_are_accepted_and_taken_back(pools: tuple[Pool, Pool], keeper: User) -> None:
    old, new = pools
    chosen = {question("T3").pk: question("T9", "2026").pk}
    assert editions_pools.accept(actor=keeper, old=old, new=new, chosen=chosen) == 1
    assert editions_pools.accept(actor=keeper, old=old, new=new, chosen=chosen) == 0
    assert successors() == {"T3": "T9"}
    assert editions_pools.accept(actor=keeper, old=old, new=new, chosen=dict.fromkeys(chosen)) == 1
    assert successors() == {}


def test_only_a_question_of_the_new_edition_succeeds(pools: tuple[Pool, Pool], keeper: User) -> None:
    old, new = pools
    for chosen in ({question("T3").pk: question("T4").pk}, {question("T9", "2026").pk: question("T1", "2026").pk}):
        with pytest.raises(EditionRefused):
            editions_pools.accept(actor=keeper, old=old, new=new, chosen=chosen)
    assert successors() == {}


def test_the_first_proposals_are_accepted_in_bulk(pools: tuple[Pool, Pool], keeper: User) -> None:
    old, new = pools
    assert editions_pools.accept_best(actor=keeper, old=old, new=new, states=["identical"]) == 1
    assert successors() == {"T1": "T1"}
    editions_pools.accept(actor=keeper, old=old, new=new, chosen={question("T2").pk: question("T9", "2026").pk})
    assert editions_pools.accept_best(actor=keeper, old=old, new=new, states=["changed", "removed"]) == 1
    assert successors() == {"T1": "T1", "T2": "T9", "T3": "T9"}  # what a person chose stays


@pytest.mark.django_db(transaction=True)
def test_a_long_edition_is_accepted_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = User.objects.create_superuser("root@example.com", "a long password")
    bring(OLD, "2022")
    bank = bring(NEW, "2026")
    monkeypatch.setattr(editions_pools, "INLINE", 3)
    answer = client_of(keeper).post(address(bank), {"do": "best:removed"})
    job = Job.objects.get(kind=editions_pools.SUCCEED)
    assert answer["Location"] == reverse("jobs:detail", args=[job.pk])
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"accepted": 1})
    assert successors() == {"T3": "T9"}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(bank: Bank, **query: str) -> str:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    return f"{reverse('quiz:editions-questions')}?old={bank.pk}:2022&new={bank.pk}:2026{more}"


def test_staff_compare_accept_take_back_and_retire(pools: tuple[Pool, Pool], keeper: User) -> None:
    client, bank = client_of(keeper), Bank.objects.get()
    assert "Pool, 2022 (4)" in client.get(reverse("quiz:editions")).content.decode()
    page = client.get(address(bank)).content.decode()
    assert "2 ids are in both" in page and "<del>" in page and "T2" in page
    page = client.get(address(bank, state="removed")).content.decode()
    assert "T9, 9" in page and "Nothing of the new edition is like it" in page
    one = question("T3").pk
    client.post(address(bank), {"do": f"accept:{one}", f"successor-{one}": question("T9", "2026").pk})
    assert successors() == {"T3": "T9"}
    assert "succeeded by T9" in client.get(address(bank, state="removed")).content.decode()
    client.post(address(bank), {"do": f"drop:{one}"})
    assert successors() == {}
    client.post(address(bank), {"do": "best:identical"})
    assert successors() == {"T1": "T1"}
    client.post(address(bank), {"do": "retire", "question": [str(one), str(question("T9", "2026").pk)]})
    assert question("T3").retired_at and not question("T9", "2026").retired_at, "of the old edition only"
    assert client.get(address(bank, state="added")).status_code == 200


@pytest.mark.parametrize("wish", [{}, {"do": "accept"}, {"do": "accept:x"}, {"do": "dance", "question": "0" * 32}])
def test_what_can_not_be_done_is_told(wish: dict[str, str], pools: tuple[Pool, Pool], keeper: User) -> None:
    answer = client_of(keeper).post(address(Bank.objects.get()), wish)
    assert answer.status_code == 400
    assert successors() == {}


def test_an_edition_that_is_not_there_is_404(pools: tuple[Pool, Pool], keeper: User) -> None:
    client, bank = client_of(keeper), Bank.objects.get()
    page = reverse("quiz:editions-questions")
    for old, new in ((f"{bank.pk}:1999", f"{bank.pk}:2026"), ("x", "y"), ("", "")):
        assert client.get(f"{page}?old={old}&new={new}").status_code == 404
    assert client.get(f"{page}?old={bank.pk}:2022&new={bank.pk}:2022").status_code == 400


def test_strangers_accept_nothing(pools: tuple[Pool, Pool], owner: User) -> None:
    client, bank = client_of(owner), Bank.objects.get()
    assert client.get(address(bank)).status_code == 404
    assert client.post(address(bank), {"do": "best:identical"}).status_code == 404
    with pytest.raises(EditionMissing):
        editions_pools.accept(actor=owner, old=pools[0], new=pools[1], chosen={})
    assert successors() == {}


def test_a_page_asks_as_often_with_many_rows_as_with_one(keeper: User) -> None:
    def queries(state: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(Bank.objects.get(), state=state)).status_code == 200
        return len(captured)

    def brought(count: int) -> None:
        rows = [f"T{number},A,What is number {number} of all?,This,That\n" for number in range(count)]
        bring(HEAD + "".join(rows), "2022")
        bring(HEAD + "".join(rows).replace("number", "figure"), "2026")

    client = client_of(keeper)
    brought(1)
    queries("changed")
    one = queries("changed")
    brought(50)
    assert queries("changed") == one
