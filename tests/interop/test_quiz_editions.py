"""Real editions, through the tables and the pages: a regulation's, and those of an exam pool."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from quiz.models import Bank, Citation, Edition, Question, QuestionVersion
from quiz.services import banks, citing, clauses, editions, editions_deciding, editions_pools, files
from tests.factories.quiz import make_category, make_question

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere"))
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not (FOLDER / "quiz").is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
]
OLD_POOL, NEW_POOL = "ham_technician_2022-2026_superseded.json", "ham_technician_2026-2030.json"
CITED = ("1013.2(e)-Interp-9", "1013.2(e)-Interp-9-i", "1013.2(e)-Interp-9-ii", "1013.2(e)-Interp-9-iii", "1013.1")


@pytest.fixture
def keeper() -> User:
    return User.objects.create_superuser("keeper@example.com", "a long password")


@pytest.fixture
def client(keeper: User) -> Client:
    client = Client()
    client.force_login(keeper)
    return client


def bring(name: str, edition: str) -> clauses.ClauseCounts:
    with (FOLDER / "clauses" / name).open("rb") as stream:
        return clauses.import_clauses(
            stream=stream, standard_code="12 CFR 1013", edition_name=edition, is_current=False
        )[1]


def stats(page: str) -> dict[str, int]:
    """What the page's own boxes say."""
    found = re.findall(r'<span class="stat-label">(.*?)</span>.*?<span>([\d,]+)</span>', page, re.DOTALL)
    return {label: int(value.replace(",", "")) for label, value in found}


def test_a_regulations_new_edition_is_gone_over_to(client: Client, keeper: User) -> None:
    assert bring("cfr12_1013_2011-31723.json", "2011").created == 425
    category = make_category()
    for number in CITED:
        make_question(category, references=[f"12 CFR 1013 {number}"])
    assert citing.cite_again(organisation_id=None) == 5
    assert bring("cfr12_1013_2016-28710.json", "2016").created == 434
    old, new = (Edition.objects.get(name=name) for name in ("2011", "2016"))
    address = f"{reverse('quiz:editions-clauses')}?old={old.pk}&new={new.pk}"
    told = stats(client.get(address).content.decode())
    assert told == {"Added": 12, "Removed": 3, "Changed": 1, "Identical": 421, "Questions to flag": 4}
    assert client.post(address)["Location"] == reverse("quiz:editions-flagged")
    assert editions.flagged_count(actor=keeper) == 4
    assert Citation.objects.get(clause__number="1013.1").clause.edition == new
    waiting = editions_deciding.told(editions_deciding.flagged_questions(actor=keeper))
    proposed = {each.citation.clause.number: each.targets[0].clause.number for one in waiting for each in one.waiting}
    assert proposed == {
        "1013.2(e)-Interp-9": "1013.2(e)-Interp-9",
        "1013.2(e)-Interp-9-i": "1013.2(e)-Interp-11-i",
        "1013.2(e)-Interp-9-ii": "1013.2(e)-Interp-11-ii",
        "1013.2(e)-Interp-9-iii": "1013.2(e)-Interp-11-iii",
    }
    client.post(reverse("quiz:editions-flagged"), {"do": "move", "whole": "1"})
    assert editions.flagged_count(actor=keeper) == 0
    assert set(Citation.objects.values_list("clause__edition__name", flat=True)) == {"2016"}


def test_a_pools_new_edition_and_its_successors(client: Client, keeper: User) -> None:
    bank = banks.bank_named(name="Technician")
    for name, edition in ((OLD_POOL, "2022-2026"), (NEW_POOL, "2026-2030")):
        with (FOLDER / "quiz" / name).open("rb") as stream:
            files.import_file(bank=bank, stream=stream, filename=name, edition=edition)
    before = set(QuestionVersion.objects.values_list("pk", "question_id"))
    address = f"{reverse('quiz:editions-questions')}?old={bank.pk}:2022-2026&new={bank.pk}:2026-2030"
    page = client.get(address).content.decode()
    assert "404 ids are in both" in page
    told = stats(page)
    assert told == {"Identical": 223, "Changed": 181, "Added": 5, "Removed": 7, "Without a successor": 411}
    client.post(address, {"do": "best:identical"})
    assert stats(client.get(address).content.decode())["Without a successor"] == 411 - 223
    client.post(address, {"do": "best:removed"})
    assert proposals(bank) >= {"T5A12": "T5A04", "T5C13": "T5C06", "T6A12": "T6A09", "T8D13": "T8D02"}.items()
    client.post(address, {"do": "best:changed"})
    assert proposals(bank) >= {("T2A06", "T1D12")}
    assert set(QuestionVersion.objects.values_list("pk", "question_id")) == before, "no wording moves"


def proposals(bank: Bank) -> set[tuple[str, str]]:
    rows = Question.objects.filter(bank=bank, edition="2022-2026", successor__isnull=False)
    return set(rows.values_list("external_id", "successor__external_id"))


def test_a_comparison_is_the_same_whichever_successors_are_looked_for(keeper: User) -> None:
    bank = banks.bank_named(name="Technician")
    for name, edition in ((OLD_POOL, "old"), (NEW_POOL, "new")):
        with (FOLDER / "quiz" / name).open("rb") as stream:
            files.import_file(bank=bank, stream=stream, filename=name, edition=edition)
    pools = editions_pools.Pool(bank.pk, "old"), editions_pools.Pool(bank.pk, "new")
    whole = editions_pools.compare(actor=keeper, old=pools[0], new=pools[1], successors_of=None)
    part = editions_pools.compare_some(whole, ["T8D13", "T2A06"])
    assert part == {key: whole.proposed[key] for key in ("T8D13", "T2A06")}
