"""Keywords by TF-IDF, and a summary of the sentences that hold most of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

from .corpus import Corpus
from .schema import MOST_KEYWORDS, SUMMARY_WORDS
from .sentences import one_line, sentences
from .subject import Subject
from .words import Word, stems, words_of

_TITLE_COUNTS = 3
_SENTENCES = 3
_READ = 60  # sentences of a notice that a summary is chosen from


def weights_of(subject: Subject, language: str, corpus: Corpus) -> dict[str, float]:
    """Stem to TF-IDF; the title's words count three times."""
    counts = Counter(stems(subject.text, language))
    for stem in stems(subject.title, language):
        counts[stem] += _TITLE_COUNTS - 1
    return {stem: (1 + count) ** 0.5 * corpus.idf(stem) for stem, count in counts.items()}


def keywords(subject: Subject, language: str, corpus: Corpus, weights: dict[str, float]) -> list[str]:
    """At most ten, the most telling first: pairs of words that the title has or that come twice, then single ones.
    As the notice writes them. Fewer than three only where it has no more words."""
    words = list(words_of(subject.text, language))
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    for word in words:
        if word.stem and not any(sign.isdigit() for sign in word.surface):
            surfaces[word.stem][word.surface.lower()] += 1
    ranked = [(weights.get(stem, 0.0), stem) for stem in surfaces]
    ranked += _pairs(words, subject, weights)
    chosen: list[str] = []
    used: set[str] = set()
    for weight, name in sorted(ranked, key=lambda item: (-item[0], item[1])):
        parts = name.split(" ")
        if used.issuperset(parts) or (weight <= 0 and len(chosen) >= 3):
            continue
        if len(parts) == 2 and not used.isdisjoint(parts):
            continue
        used.update(parts)
        chosen.append(" ".join(_written(surfaces[part]) for part in parts))
        if len(chosen) == MOST_KEYWORDS:
            break
    return chosen


def _pairs(words: list[Word], subject: Subject, weights: dict[str, float]) -> list[tuple[float, str]]:
    counts: Counter[str] = Counter()
    in_title = set()
    for left, right in pairwise(words):
        is_near = right.start - left.end <= 1
        if is_near and left.stem and right.stem and left.stem != right.stem and _is_plain(left) and _is_plain(right):
            name = f"{left.stem} {right.stem}"
            counts[name] += 1
            if right.end <= len(subject.title):
                in_title.add(name)
    return [
        (0.6 * sum(weights.get(part, 0.0) for part in name.split(" ")), name)
        for name, count in counts.items()
        if count > 1 or name in in_title
    ]


def _is_plain(word: Word) -> bool:
    return len(word.surface) > 2 and not any(sign.isdigit() for sign in word.surface)


def _written(surfaces: Counter[str]) -> str:
    return min(surfaces.items(), key=lambda item: (-item[1], item[0]))[0] if surfaces else ""


def summary(subject: Subject, language: str, weights: dict[str, float]) -> str:
    """The sentences of the description that say most, in its order; the title where there is no description."""
    found = [one_line(text) for _, text in sentences(subject.description)][:_READ]
    found = [text for text in dict.fromkeys(found) if len(text.split()) >= 4 and text != one_line(subject.title)]
    scored = []
    for place, text in enumerate(found):
        said = set(stems(text, language))
        weight = sum(weights.get(stem, 0.0) for stem in said) / (5 + len(said)) * (1.3 if place == 0 else 1.0)
        scored.append((-weight, place, text))
    chosen: list[tuple[int, str]] = []
    room = SUMMARY_WORDS
    for _, place, text in sorted(scored):
        length = len(text.split())
        if length <= room and len(chosen) < _SENTENCES:
            chosen.append((place, text))
            room -= length
    if not chosen and found:
        return " ".join(found[0].split()[: SUMMARY_WORDS - 1]) + "…"
    return " ".join(text for _, text in sorted(chosen)) or one_line(subject.title)
