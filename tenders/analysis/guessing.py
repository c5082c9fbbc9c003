"""What a notice is about where its publisher gave no code: a suggestion, flagged as one, that scores nothing."""

from __future__ import annotations

import math

from .corpus import Corpus
from .schema import CpvSuggestion
from .subject import Subject
from .words import stems

_FEWEST = 20  # notices of a division to learn from
_DIVISIONS = {
    "03": "farming, forestry",
    "09": "fuel, energy",
    "14": "mining products",
    "15": "food",
    "16": "farm machinery",
    "18": "clothing",
    "19": "leather, textiles",
    "22": "print",
    "24": "chemicals",
    "30": "office and computing machines",
    "31": "electrical machinery",
    "32": "communication equipment",
    "33": "medical supplies",
    "34": "transport equipment",
    "35": "security equipment",
    "37": "sport, art",
    "38": "laboratory equipment",
    "39": "furniture",
    "41": "water",
    "42": "industrial machinery",
    "43": "construction machinery",
    "44": "construction materials",
    "45": "construction work",
    "48": "software",
    "50": "repair and maintenance",
    "51": "installation",
    "55": "hotel and catering",
    "60": "transport",
    "63": "transport support",
    "64": "post, telecommunication",
    "65": "utilities",
    "66": "finance, insurance",
    "70": "real estate",
    "71": "architecture, engineering",
    "72": "IT services",
    "73": "research",
    "75": "public administration",
    "76": "oil and gas services",
    "77": "farming and landscaping services",
    "79": "business services",
    "80": "education",
    "85": "health, social work",
    "90": "sewage, refuse, cleaning",
    "92": "recreation, culture",
    "98": "other services",
}
_KINDS = {"works": "Works", "goods": "Goods", "supplies": "Goods", "services": "Services"}


def category_of(subject: Subject) -> str:
    """As published: works, goods or services, and the main CPV's division. "" where nothing is stated."""
    kind = _KINDS.get(subject.category.lower(), "")
    division = subject.cpv_main[:2]
    if not kind and division:
        kind = "Works" if division == "45" else "Goods" if division < "45" or division == "48" else "Services"
    named = _DIVISIONS.get(division, "")
    return f"{kind}: {named}" if kind and named else kind or named.capitalize()


def guess_cpv(subject: Subject, language: str, corpus: Corpus) -> list[CpvSuggestion]:
    """At most three divisions, by the words that they have more often than all notices (naive Bayes). Right in a
    quarter to two fifths of cases: a suggestion. None from fewer than 20 notices of a division."""
    found = sorted(set(stems(subject.text, language)))
    scored = []
    for division, (count, words) in corpus.divisions.items():
        if count < _FEWEST:
            continue
        gains = []
        for stem in found:
            overall = (corpus.frequencies.get(stem, 0) + 0.5) / (corpus.documents + 1)
            gain = math.log((words.get(stem, 0) + 0.5 * overall) / (count + 1) / overall) if stem in words else 0.0
            gains.append((gain, stem))
        told = sorted((each for each in gains if each[0] > 0.4), key=lambda each: (-each[0], each[1]))[:8]
        if len(told) > 1:
            scored.append((sum(gain for gain, _ in told) + math.log(count / corpus.documents), division, told))
    scored.sort(key=lambda each: (-each[0], each[1]))
    return [
        CpvSuggestion(
            code=division + "000000", why=f"A guess ({_DIVISIONS.get(division, division)}), by: {_names(told)}."
        )
        for _, division, told in scored[:3]
    ]


def _names(told: list[tuple[float, str]]) -> str:
    return ", ".join(stem for _, stem in told[:4])
