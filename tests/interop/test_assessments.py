"""Real notices by the rules: the right ones on top, and no quote that is not there."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal
from pathlib import Path

import pytest

from tenders.analysis import Assessment, Corpus, Profile, Subject, analyse, checked
from tenders.readers import Release, notice_of, read

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "tenders"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files")
NOW = dt.datetime(2025, 1, 15, tzinfo=dt.UTC)
ROAD_BUILDER = Profile(
    cpv_codes=("4523",),
    keywords=("road", "resurfacing", "asphalt", "highway", "carriageway", "bridge", "kerb"),
    countries=("GB",),
    value_min=Decimal(50_000),
    value_max=Decimal(20_000_000),
    value_currency="GBP",
)


def subjects_of(*names: str) -> list[Subject]:
    found = []
    for name in names:
        with (FOLDER / name).open("rb") as stream:
            notices = [notice_of(item.raw) for item in read(stream, name=name).items if isinstance(item, Release)]
        found += [
            Subject(
                title=notice.title,
                description=notice.description,
                lots=tuple(f"{lot.title}\n{lot.description}".strip() for lot in notice.lots),
                language=notice.language,
                country=notice.country,
                buyer_name=notice.buyer_name,
                category=notice.category,
                cpv_main=notice.cpv_main,
                cpv_codes=tuple(notice.cpv_codes),
                regions=tuple(notice.regions),
                value_amount=notice.value_amount,
                value_currency=notice.value_currency,
                deadline_at=notice.deadline_at,
            )
            for notice in notices
        ]
    return found


def assessed(subjects: list[Subject], profile: Profile, language: str = "") -> list[tuple[Assessment, Subject]]:
    corpus = Corpus.of(subjects, language)
    return [(analyse(subject, profile, corpus=corpus, now=NOW), subject) for subject in subjects]


def test_a_road_builder_sees_road_works_on_top_of_the_uk_notices() -> None:
    ranked = sorted(
        assessed(subjects_of("ocds_uk_contracts_finder_2025_releases.jsonl"), ROAD_BUILDER, "en"),
        key=lambda pair: -pair[0].score,
    )
    assert all(any(code.startswith("4523") for code in subject.cpv_codes) for _, subject in ranked[:2])
    places = [place for place, (_, subject) in enumerate(ranked) if subject.cpv_main.startswith("4523")]
    assert places and max(places) < 10
    high = [subject for assessment, subject in ranked if assessment.relevance == "high"]
    assert 0 < len(high) < len(ranked) / 10
    assert not any(subject.cpv_main[:2] in ("85", "80", "55", "66") for subject in high)


@pytest.mark.parametrize(
    "name",
    [
        "ocds_uk_contracts_finder_2025_releases.jsonl",
        "ocds_portugal_impic_100_releases.json",
        "ocds_paraguay_dncp_155220_record_package.json",
        "saudi_etimad_271_tenders_ar.csv",
    ],
)
def test_every_real_notice_gets_a_valid_assessment_with_quotes_that_are_there(name: str) -> None:
    for assessment, subject in assessed(subjects_of(name), ROAD_BUILDER):
        assert Assessment.model_validate(assessment.model_dump(mode="json")) == assessment
        assert checked(assessment, subject.text)[1] == 0
        assert assessment.summary and assessment.keywords
