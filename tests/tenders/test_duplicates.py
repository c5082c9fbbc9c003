"""Tenders published more than once: found after an import, told only to those who may see both, hidden on demand."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.models import Job
from tenders.analysis import Subject
from tenders.analysis.similar import may_be_same, simhash
from tenders.analysis.words import stems
from tenders.models import Duplicate, Fingerprint, Source, Tender
from tenders.services import duplicates
from tenders.services.duplicates import find_duplicates, published_also, with_duplicates
from tenders.services.facets import facets_of
from tenders.services.searchfields import filters_from
from tenders.services.searching import search_for, search_tenders
from tests.factories.people import make_user
from tests.factories.tenders import make_source, make_tender
from tests.projects.pages import signed_in
from tests.tenders.test_pages import page_of, url

pytestmark = pytest.mark.django_db
TEXT = (
    "The contract covers milling of the old wearing course and laying of a new one over 3.2 km of the road between "
    "Jihlava and Telč, repair of the base where it has failed, new kerbs, drains and markings, and traffic control."
)
CLOSES = timezone.now() + timedelta(days=10)


def found_in(*sources: Source) -> duplicates.Found:
    return find_duplicates(source_ids=[source.pk for source in sources], report=lambda done, total, message: None)


def published(source: Source, day: int, **fields: Any) -> Tender:
    values: dict[str, Any] = {"description": TEXT, "deadline_at": CLOSES}
    return make_tender(source, published_at=datetime(2026, 11, day, tzinfo=UTC), **(values | fields))


def pairs() -> set[tuple[UUID, UUID]]:
    return set(Duplicate.objects.values_list("later_id", "earlier_id"))


def test_the_same_text_from_two_publishers_is_found_and_the_earlier_is_kept() -> None:
    first, second = make_source(), make_source()
    late = published(second, 4, title="RESURFACING OF ROAD II/385")
    early = published(first, 2)
    other = published(second, 5, title="School meals", description="Warm meals for three schools, each day. " * 3)
    told = found_in(first, second)
    assert (told.tenders, told.pairs) == (3, 1)
    assert pairs() == {(late.pk, early.pk)}
    assert other.pk in set(Fingerprint.objects.values_list("tender_id", flat=True))


def test_a_second_run_finds_nothing_to_do_and_a_change_is_compared_anew() -> None:
    source = make_source()
    early, late = published(source, 2), published(source, 4)
    found_in(source)
    assert found_in(source) == duplicates.Found(0, 0)
    assert pairs() == {(late.pk, early.pk)}
    Tender.objects.filter(pk=late.pk).update(description="Something else. " + TEXT[::-1], content_hash="f" * 32)
    assert found_in(source).tenders == 1
    assert pairs() == set()


def test_who_loses_the_one_before_it_gets_the_next_one() -> None:
    source = make_source()
    first, second, third = (published(source, day) for day in (2, 3, 4))
    found_in(source)
    assert pairs() == {(second.pk, first.pk), (third.pk, first.pk)}
    Tender.objects.filter(pk=first.pk).update(description=TEXT[::-1], content_hash="e" * 32)
    found_in(source)
    assert pairs() == {(third.pk, second.pk)}


def test_what_comes_in_later_may_have_been_published_earlier() -> None:
    source = make_source()
    late = published(source, 9)
    found_in(source)
    early = published(make_source(), 1)
    found_in(early.source)
    assert pairs() == {(late.pk, early.pk)}


def test_more_tenders_than_a_chunk_holds_are_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source()
    rows = [published(source, 1 + number % 9, key=f"k{number:03}") for number in range(7)]
    small = duplicates._STALE.replace(f"LIMIT {duplicates.CHUNK}", "LIMIT 2")
    monkeypatch.setattr(duplicates, "_STALE", small)
    assert found_in(source).tenders == 7
    assert len({later for later, _ in pairs()}) == 6
    assert min(rows, key=lambda row: (row.published_at, row.pk)).pk not in {later for later, _ in pairs()}


@pytest.mark.parametrize(
    "told_apart",
    [{"value_amount": Decimal(990_000)}, {"country": "SK"}, {"buyer_name": "City of Brno"},
     {"deadline_at": CLOSES + timedelta(days=30)}],
)  # fmt: skip
def test_what_is_stated_tells_calls_of_the_same_words_apart(told_apart: dict[str, Any]) -> None:
    source = make_source()
    published(source, 2)
    published(source, 3, **told_apart)
    found_in(source)
    assert pairs() == set()


def test_what_is_not_stated_tells_nothing_apart() -> None:
    told = Subject(title="A", value_amount=Decimal(5), value_currency="EUR", country="CZ", buyer_name="City of Brno")
    assert may_be_same(told, Subject(title="A"))
    assert may_be_same(told, Subject(title="A", value_amount=Decimal(9), value_currency="CZK", buyer_name="BRNO city"))
    assert not may_be_same(told, Subject(title="A", value_amount=Decimal(9), value_currency="EUR"))


def test_texts_too_short_to_compare_are_left_alone() -> None:
    source = make_source()
    for day in (1, 2):
        published(source, day, title="Cleaning", description="")
    assert found_in(source) == duplicates.Found(2, 0)
    assert found_in(source).tenders == 0


def test_marks_are_those_of_the_definition() -> None:
    """Bit by bit, as SimHash is described: set where more than half of the hashed words have it."""
    digests = [
        int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        for word in stems(f"Road\n{TEXT}", "")
    ]
    expected = sum(1 << bit for bit in range(64) if 2 * sum(d >> bit & 1 for d in digests) > len(digests))
    assert simhash(Subject(title="Road", description=TEXT)) == expected


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        ("Road II/385", "ROAD II/385, resurfacing", True),
        ("Road II/385", "Road II/386", False),
        ("HCC08: Placements for children", "Placements for children", True),
        ("Supply of advisers", "PF Consultancy Plus", False),
        ("Úprava chodníků", "UPRAVA CHODNIKU", True),
    ],
)
def test_titles_tell_calls_of_the_same_words_apart(one: str, other: str, *, may_be: bool) -> None:
    assert may_be_same(Subject(title=one), Subject(title=other)) is may_be
    assert may_be_same(Subject(title=other), Subject(title=one)) is may_be


def test_each_pair_is_told_to_those_alone_who_may_see_both(
    member: User, stranger: User, organisation: Organisation
) -> None:
    shared, own = make_source(), make_source(organisation)
    ours, public, again = published(own, 1), published(shared, 2), published(make_source(), 3)
    found_in(shared, own, again.source)
    assert published_also(public, user=member) == [ours, again]
    assert published_also(public, user=stranger) == [again]
    assert published_also(again, user=stranger) == [public]
    ids = [ours.pk, public.pk, again.pk]
    assert with_duplicates(ids, user=member) == set(ids)
    assert with_duplicates(ids, user=stranger) == {public.pk, again.pk}


def test_copies_of_one_original_know_each_other() -> None:
    source = make_source()
    first, second, third = (published(source, day) for day in (1, 2, 3))
    found_in(source)
    user = make_user("reader")
    assert published_also(second, user=user) == [first, third]
    assert published_also(third, user=user) == [first, second]


def test_an_import_has_its_tenders_compared() -> None:
    source = make_source(name="Portal")
    job = duplicates.queue_finding(source)
    assert Job.objects.get(pk=job.pk).params == {"source_id": str(source.pk)}


def test_bands_are_found_by_index_not_by_looking_through_all() -> None:
    source = make_source()
    tender = published(source, 1)
    found_in(source)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {duplicates._EARLIER}", [[tender.pk]])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert all(f"fingerprint_band_{band}" in plan for band in range(4))


def test_the_number_of_queries_does_not_grow_with_the_tenders() -> None:
    counts = []
    for size in (2, 40):
        source = make_source()
        for number in range(size):
            published(source, 1 + number % 9)
        with CaptureQueriesContext(connection) as captured:
            found_in(source)
        counts.append(len(captured))
    assert counts[1] <= counts[0] + 1


# --- in the search, and on pages ---
def titles(user: User, **fields: str) -> list[str]:
    rows = search_tenders(user=user, filters=filters_from({"duplicates": "hide", **fields}))
    return sorted(rows.values_list("title", flat=True))


def test_without_duplicates_the_earliest_of_each_is_left(member: User) -> None:
    one, other = make_source(), make_source()
    published(one, 2, title="Road A")
    published(other, 3, title="Road B")
    published(other, 4, title="Road C")
    published(one, 5, title="Meals", description="Warm meals for three schools, each day. " * 3)
    found_in(one, other)
    assert titles(member) == ["Meals", "Road A"]
    told = facets_of(search_for(user=member, filters=filters_from({"duplicates": "hide"})))
    assert (told.count, told.is_exact) == (2, True)
    assert facets_of(search_for(user=member, filters=filters_from({}))).count == 4


def test_one_whose_earlier_one_is_no_hit_stays(member: User) -> None:
    one, other = make_source(), make_source()
    published(one, 2, title="Road A")
    published(other, 3, title="Road B")
    found_in(one, other)
    assert titles(member, q='"road b"') == ["Road B"]
    assert titles(member, source=str(other.pk)) == ["Road B"]
    assert titles(member, published_after="2026-11-03") == ["Road B"]


def test_what_others_published_before_hides_nothing(member: User, stranger: User, organisation: Organisation) -> None:
    own, shared = make_source(organisation), make_source()
    published(own, 2, title="Road A")
    published(shared, 3, title="Road B")
    found_in(own, shared)
    assert titles(member) == ["Road A"]
    assert titles(stranger) == ["Road B"]


def test_the_search_page_marks_them_and_offers_to_hide_them(member: User) -> None:
    source = make_source()
    published(source, 2, title="Road A")
    published(source, 3, title="Road B")
    found_in(source)
    page = page_of(member, url("search"))
    assert page.count("Another notice says the same") == 2
    hidden = page_of(member, f"{url('search')}?duplicates=hide")
    assert "Road A" in hidden
    assert "Road B" not in hidden
    assert "Each once" in hidden
    assert f'href="{url("search")}"' in hidden
    assert signed_in(member).get(f"{url('search')}?duplicates=maybe").status_code == 400


def test_a_tender_says_where_else_it_is_published(member: User, stranger: User, organisation: Organisation) -> None:
    own, shared = make_source(organisation, name="Our own list"), make_source(name="National portal")
    published(own, 2, title="Road A")
    public = published(shared, 3, title="Road B")
    found_in(own, shared)
    page = page_of(member, url("detail", public.pk))
    assert "Also published as" in page
    assert "Our own list" in page
    assert page.count("Road A</a>") == 1  # not once more among the similar ones
    assert "Also published as" not in page_of(stranger, url("detail", public.pk))
