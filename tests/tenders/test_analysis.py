"""Assessments by the rules: what speaks for a tender, what it states, and that nothing is made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenders.analysis import Assessment, Corpus, Profile, Subject, analyse, checked
from tenders.analysis.amounts import amounts
from tenders.analysis.facts import key_dates, western
from tenders.analysis.languages import language_of
from tenders.analysis.schema import KeyDate, relevance_of
from tenders.analysis.similar import distance, simhash
from tenders.analysis.words import stems

NOW = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
ROAD = Subject(
    title="Resurfacing of the A47 at Easton",
    description=(
        "Milling and a new asphalt wearing course over 3.2 km of carriageway.\n"
        "Bids must be submitted no later than 12 January 2027. Site visit on 5/12/2026.\n"
        "Bidders must hold ISO 9001 certification. Liquidated damages of £5,000 per day apply.\n"
        "The works start on 1 March 2027."
    ),
    language="en",
    country="GB",
    cpv_main="45233142",
    cpv_codes=("45233142",),
    regions=("UKH15",),
    value_amount=Decimal(1_250_000),
    value_currency="GBP",
    deadline_at=dt.datetime(2027, 1, 12, 12, tzinfo=dt.UTC),
)
SCHOOL = replace(
    ROAD,
    title="School meals for six primary schools",
    description="Preparation and delivery of hot meals, five days a week.",
    cpv_main="55523100",
    cpv_codes=("55523100",),
)
FIRM = Profile(
    cpv_codes=("45233",),
    keywords=("resurfacing", "asphalt", "carriageway"),
    negative_keywords=("school meals",),
    regions=("UKH",),
    countries=("GB",),
    value_min=Decimal(100_000),
    value_max=Decimal(5_000_000),
    value_currency="GBP",
    revision=3,
)


def read(subject: Subject, profile: Profile = FIRM, **options: Any) -> Assessment:
    return analyse(subject, profile, now=NOW, **options)


def factor(assessment: Assessment, name: str) -> Any:
    return next((each for each in assessment.factors if each.name == name), None)


def test_the_right_one_is_high_and_says_why() -> None:
    found = read(ROAD)
    assert found.relevance == "high" and found.score > 0.85
    assert {each.name for each in found.factors} == {"cpv", "terms", "region", "value", "deadline"}
    assert "45233142 is within 45233" in factor(found, "cpv").why
    assert factor(found, "terms").quote in ROAD.text


def test_another_trade_is_low_and_what_the_firm_does_not_want_counts_against_it() -> None:
    found = read(SCHOOL)
    assert found.relevance == "low"
    assert factor(found, "negative_terms").contribution < 0
    assert "“school meals”" in factor(found, "negative_terms").why


@pytest.mark.parametrize("subject", [ROAD, SCHOOL, replace(ROAD, country="DE"), replace(ROAD, deadline_at=None)])
def test_the_contributions_add_up_to_the_score(subject: Subject) -> None:
    found = read(subject)
    total = sum(each.contribution for each in found.factors)
    assert found.score == pytest.approx(min(1, max(0, total)), abs=1e-3)
    assert found.relevance == relevance_of(found.score)


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"cpv_main": "45230000", "cpv_codes": ("45230000",)}, "cpv", 0.6),
        ({"cpv_main": "45000000", "cpv_codes": ("45000000",)}, "cpv", 0.35),
        ({"cpv_main": "45234100", "cpv_codes": ("45234100",)}, "cpv", 0.5),
        ({"cpv_main": "90000000", "cpv_codes": ("90000000", "45233120")}, "cpv", 0.85),
        ({"cpv_main": "90000000", "cpv_codes": ("90000000",)}, "cpv", 0.0),
        ({"regions": ("UKD3",)}, "region", 0.0),
        ({"regions": ()}, "region", 0.5),
        ({"value_amount": Decimal(25_000_000)}, "value", 0.0),
        ({"value_amount": None}, "value", 0.5),
        ({"value_amount": Decimal("0.01")}, "value", 0.5),
        ({"value_currency": "EUR"}, "value", 0.5),
        ({"deadline_at": NOW - dt.timedelta(days=1)}, "deadline", 0.0),
        ({"deadline_at": NOW + dt.timedelta(days=7)}, "deadline", 0.5),
        ({"country": "FR"}, "country", 1.0),
    ],
)
def test_each_factor(change: dict[str, Any], name: str, value: float) -> None:
    assert factor(read(replace(ROAD, **change)), name).value == pytest.approx(value)


def test_another_country_costs_the_first_place() -> None:
    assert read(replace(ROAD, country="FR")).score < read(ROAD).score - 0.3


def test_an_empty_profile_makes_nothing_relevant_or_irrelevant() -> None:
    found = read(ROAD, Profile())
    assert (found.relevance, found.confidence) == ("medium", 0.1)
    assert "profile is empty" in found.factors[0].why
    assert found.keywords and found.summary


def test_a_notice_without_codes_is_told_by_its_words_and_less_surely() -> None:
    bare = replace(ROAD, cpv_main="", cpv_codes=())
    found = read(bare)
    assert factor(found, "cpv") is None
    assert factor(found, "terms").weight == pytest.approx(0.7)
    assert found.confidence < read(ROAD).confidence


def test_codes_are_guessed_only_where_none_are_published_and_score_nothing() -> None:
    corpus = Corpus.of([replace(ROAD, title=f"Road {n} resurfacing with asphalt") for n in range(30)]
                       + [replace(SCHOOL, title=f"Meals {n} in schools") for n in range(30)], "en")  # fmt: skip
    bare = replace(ROAD, cpv_main="", cpv_codes=())
    found = read(bare, corpus=corpus)
    assert found.cpv_suggestions[0].code == "45000000"
    assert len(found.cpv_suggestions) <= 3 and "guess" in found.cpv_suggestions[0].why.lower()
    assert read(ROAD, corpus=corpus).cpv_suggestions == []


def test_facts_carry_the_words_they_were_read_from() -> None:
    found = read(ROAD)
    dates = {(each.what, each.on.isoformat()) for each in found.key_dates}
    assert dates == {("bids due", "2027-01-12"), ("site visit", "2026-12-05"), ("start", "2027-03-01")}
    assert {each.text for each in found.qualifications} >= {"certified management system"}
    assert [each.text for each in found.risks] == ["penalties for delay"]
    quotes = [each.quote for each in (*found.key_dates, *found.qualifications, *found.risks)]
    assert all(quote and quote in ROAD.text for quote in quotes)
    assert found.stated_value and found.stated_value.amount == Decimal(1_250_000)


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("cs", "Lhůta pro podání nabídek končí 5. ledna 2027 v 10:00.", "2027-01-05"),
        ("sk", "Lehota na predkladanie ponúk je 15. februára 2027.", "2027-02-15"),
        ("de", "Die Angebotsfrist endet am 3. März 2027.", "2027-03-03"),
        ("pl", "Termin składania ofert: 7 stycznia 2027 r.", "2027-01-07"),
        ("es", "El plazo de presentación termina el 9 de enero de 2027.", "2027-01-09"),
        ("pt", "O prazo termina em 9 de fevereiro de 2027.", "2027-02-09"),
        ("fr", "Date limite de remise des offres : 14 février 2027.", "2027-02-14"),
        ("it", "Scadenza: 20 maggio 2027.", "2027-05-20"),
        ("ar", "آخر موعد لتقديم العروض ٢٠٢٧/٠١/١٥", "2027-01-15"),
        ("en", "Tenders must be returned by 2027-01-15.", "2027-01-15"),
        ("en", "The closing date is January 15th, 2027.", "2027-01-15"),
        ("en", "The deadline is 01/15/2027.", "2027-01-15"),
    ],
)
def test_deadlines_in_ten_languages(language: str, text: str, day: str) -> None:
    found = key_dates(text, language)
    assert [(each.what, each.on.isoformat()) for each in found] == [("bids due", day)]
    assert found[0].quote in text


def test_a_number_that_looks_like_a_date_is_none() -> None:
    assert key_dates("See clause 31.2.2027 and section 45/99/2027.", "en") == []


@pytest.mark.parametrize(
    ("text", "number", "currency"),
    [
        ("£1,250,000.50", "1250000.50", "GBP"),
        ("1.250.000,50 EUR", "1250000.50", "EUR"),
        ("1 250 000 Kč", "1250000", "CZK"),
        ("€2.5 million", "2500000.0", "EUR"),
        ("£3.2m", "3200000.0", "GBP"),
        ("12 mil. Kč", "12000000", "CZK"),
        (western("٢٥٠٠٠٠ ريال"), "250000", "SAR"),
        ("1'200'000 CHF", "1200000", "CHF"),
    ],
)
def test_money_as_countries_write_it(text: str, number: str, currency: str) -> None:
    (found,) = amounts(text)
    assert (found.number, found.currency) == (Decimal(number), currency)


def test_a_value_in_the_text_counts_only_where_it_is_called_one() -> None:
    silent = replace(ROAD, value_amount=None)
    assert read(silent).stated_value is None  # the damages are no value
    told = replace(silent, description="The estimated value of the contract is £2.5m. A bond of £100,000 is due.")
    value = read(told).stated_value
    assert value and (value.amount, value.currency) == (Decimal(2_500_000), "GBP")
    assert value.quote in told.text


def test_what_a_model_makes_up_is_dropped() -> None:
    made_up = Assessment(
        relevance="high",
        score=0.2,
        factors=[{"name": "cpv", "weight": 0.5, "value": 0.4, "contribution": 0.9, "why": "So.", "quote": "Not there"}],
        key_dates=[
            KeyDate(what="bids due", on=dt.date(2027, 1, 12), quote="no later than 12  January 2027"),
            KeyDate(what="start", on=dt.date(2027, 1, 1), quote="We start on New Year"),
        ],
        risks=[{"text": "Flood", "quote": ""}],
        stated_value={"amount": "9", "currency": "GBP", "quote": "nine pounds"},
    )
    kept, dropped = checked(made_up, ROAD.text)
    assert kept.relevance == "low"
    assert (kept.factors[0].quote, kept.factors[0].contribution) == ("", 0.2)
    assert [each.what for each in kept.key_dates] == ["bids due"]
    assert (kept.risks, kept.stated_value, dropped) == ([], None, 4)


def test_bounds_of_the_schema_hold() -> None:
    found = Assessment(
        relevance="low", score=0.1, summary="word " * 200, keywords=[*(f"w{n}" for n in range(30)), "W1", " "]
    )
    assert len(found.summary.split()) <= 80 and len(found.keywords) == 10


def test_a_long_notice_has_a_short_summary_of_its_own_sentences() -> None:
    text = " ".join(f"The carriageway of section {n} is milled and gets new asphalt." for n in range(200))
    found = read(replace(ROAD, description=text))
    assert 0 < len(found.summary.split()) <= 80
    assert all(part.strip() in text for part in found.summary.split(". ")[:1])
    assert 3 <= len(found.keywords) <= 10


def test_arabic_is_read_in_arabic() -> None:
    subject = Subject(
        title="أعمال صيانة الطرق في مدينة الرياض",
        description="تشمل الأعمال سفلتة الطرق وصيانة الأرصفة. يجب تقديم شهادة تصنيف المقاولين. غرامة التأخير ١٠٪.",
        language="ar",
    )
    found = read(subject, Profile(keywords=("صيانة طرق", "سفلتة")))
    assert factor(found, "terms").value > 0.4
    assert found.keywords and found.summary in subject.description
    assert "penalties for delay" in [each.text for each in found.risks]


def test_the_same_notice_gets_the_same_assessment() -> None:
    corpus = Corpus.of([ROAD, SCHOOL] * 20, "en")
    assert read(ROAD, corpus=corpus) == read(ROAD, corpus=Corpus.from_json(corpus.as_json()))


def test_languages_are_told_from_the_text_alone_when_there_is_enough() -> None:
    assert language_of("Oprava silnice druhé třídy včetně výměny obrusné vrstvy a odvodnění") == "cs"
    assert language_of("Erneuerung der Fahrbahndecke und der Entwässerung an der Landesstraße") == "de"
    assert language_of("A47") == ""


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "resurfacing of roads", "resurface a road"),
        ("cs", "oprava silnice", "opravy silnic"),
        ("de", "Sanierung der Straßen", "Sanierungen einer Straße"),
        ("ar", "صيانة الطرق", "صيانه طرق"),
    ],
)
def test_forms_of_a_word_meet(language: str, one: str, other: str) -> None:
    assert stems(one, language) == stems(other, language)


def test_near_duplicates_are_found_and_others_are_not() -> None:
    texts = [f"{ROAD.description} Lot {n % 2 + 1}. " * 3 for n in range(2)]
    marks = [simhash(replace(ROAD, description=text)) for text in texts]
    other = simhash(replace(SCHOOL, description=SCHOOL.description + " Allergens are to be declared for each dish."))
    assert all(mark is not None for mark in (*marks, other))
    assert distance(marks[0], marks[1]) <= 3 < distance(marks[0], other)  # type: ignore[arg-type]
    assert simhash(Subject(title="Short")) is None


@given(st.text(max_size=300), st.text(max_size=2000), st.sampled_from(["", "en", "cs", "de", "ar", "ja"]))
def test_any_text_at_all_gives_a_valid_assessment(title: str, description: str, language: str) -> None:
    subject = Subject(title=title, description=description, language=language)
    found = read(subject)
    assert Assessment.model_validate(found.model_dump(mode="json")) == found
    assert checked(found, subject.text)[1] == 0
