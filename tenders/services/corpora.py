"""How common words are among the notices of a language: counted from a sample once a day, shared by all processes."""

from __future__ import annotations

import time

from django.db.models import F

from config.cache import get_or_set

from ..analysis import Corpus, Subject
from ..analysis.languages import language_of
from ..models import Tender

SAMPLE = 2000  # the newest notices of a language
KEPT_S = 600  # in this process; the shared copy lives a day
_FIELDS = (
    "title", "description", "lots", "language", "country", "buyer_name", "category", "cpv_main", "cpv_codes", "regions",
    "value_amount", "value_currency", "published_at", "deadline_at",
)  # fmt: skip
_known: dict[str, tuple[float, Corpus]] = {}


def corpus_of(language: str) -> Corpus:
    """An empty one for "", and for a language that hardly a notice is in."""
    if not language:
        return Corpus()
    now = time.monotonic()
    known = _known.get(language)
    if known is None or now - known[0] > KEPT_S:
        counted = get_or_set("tender_words", [language], lambda: _count(language).as_json())
        known = _known[language] = (now, Corpus.from_json(counted))
    return known[1]


def forget() -> None:
    """What this process keeps."""
    _known.clear()


def _count(language: str) -> Corpus:
    """Those that say their language first; of those that don't, the ones that are told to be of it."""
    newest = (F("index__published_at").desc(nulls_last=True), "-index__tender_id")
    tenders = Tender.objects.filter(index__isnull=False).order_by(*newest).only(*_FIELDS)
    subjects = [subject_of(tender) for tender in tenders.filter(language=language)[:SAMPLE]]
    if len(subjects) < SAMPLE:
        unsaid = (subject_of(tender) for tender in tenders.filter(language="")[:SAMPLE])
        subjects += [subject for subject in unsaid if language_of(subject.text) == language]
    return Corpus.of(subjects[:SAMPLE], language)


def subject_of(tender: Tender) -> Subject:
    lots = (f"{lot.get('title') or ''}\n{lot.get('description') or ''}".strip() for lot in tender.lots[:50])
    return Subject(
        title=tender.title,
        description=tender.description,
        lots=tuple(text for text in lots if text),
        language=tender.language,
        country=tender.country,
        buyer_name=tender.buyer_name,
        category=tender.category,
        cpv_main=tender.cpv_main,
        cpv_codes=tuple(tender.cpv_codes),
        regions=tuple(map(str, tender.regions)),
        value_amount=tender.value_amount,
        value_currency=tender.value_currency,
        published_at=tender.published_at,
        deadline_at=tender.deadline_at,
    )
