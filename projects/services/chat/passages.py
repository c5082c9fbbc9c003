"""What of a project, and of the clauses its organisation has, says something of a question: passages with their places.

Texts of documents, positions, findings and versions are looked through in this project alone; clauses are found by the
search of `analytics`, among those shared by all and those of the project's organisation: never another's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Case, FloatField, Q, Value, When

from analytics.models import Entity
from analytics.search.folding import folded
from analytics.search.passages import PASSAGE, best_passage
from analytics.search.words import stem, words_of
from analytics.services.candidates import Seen
from analytics.services.searching import found_for
from analytics.services.vocabularies import vocabulary_of

from ...models import BudgetVersion, Document, Finding, Position, Project
from .language import loose_pattern, roots_of
from .reply import (
    QUOTED,
    Citation,
    cite_document,
    cite_finding,
    cite_position,
    cite_version,
    file_names,
    title_of_rule,
)
from .targets import live

PAGE_BREAK = "\f"  # between the pages of a document's text
BLOCK = 1500  # characters that are compared at once
SEARCHED = 300  # characters of a question
MOST = 5
MOST_OF_A_KIND = 3
CANDIDATES = 20
# The best passage must hold so much of the question, by weight of its words; set by hand, heuristics.
LEAST_COVERED, LEAST_OF_BEST = 0.5, 0.7
KINDS = ("document", "clause", "finding", "position", "version")
Roots = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Passage:
    """`covered`: the share of the question, by weight of its words, that the text holds. `is_exact`: named by code."""

    citation: Citation
    text: str
    covered: float
    is_exact: bool = False


def passages_for(*, project: Project, question: str) -> list[Passage]:
    """The best, at most MOST; [] where nothing holds enough of the question."""
    question = question[:SEARCHED]
    roots = _weights(project, question)
    if not roots:
        return []
    found = [
        *_documents(project, roots),
        *_clauses(project, question, roots),
        *_findings(project, roots),
        *_positions(project, roots),
        *_versions(project, roots),
    ]
    return _best([each for each in found if each.is_exact or each.covered >= LEAST_COVERED])


def _best(fitting: list[Passage]) -> list[Passage]:
    order = {kind: place for place, kind in enumerate(KINDS)}
    fitting.sort(key=lambda each: (not each.is_exact, -round(each.covered, 2), order[each.citation["kind"]]))
    best = max((each.covered for each in fitting), default=0.0)
    kept: list[Passage] = []
    counts: dict[str, int] = {}
    for each in fitting:
        kind = each.citation["kind"]
        if (each.is_exact or each.covered >= LEAST_OF_BEST * best) and counts.get(kind, 0) < MOST_OF_A_KIND:
            counts[kind] = counts.get(kind, 0) + 1
            kept.append(each)
    return kept[:MOST]


def unread_documents(project: Project) -> list[str]:
    """Names of documents without text that could be looked through. Bills and models are, by their positions."""
    rows = Document.objects.filter(project=project, indexed_content="").exclude(kind=Document.Kind.BILL)
    rows = rows.exclude(file_type="ifc")
    return list(rows.order_by("created_at").values_list("original_filename", flat=True)[:10])


def _weights(project: Project, question: str) -> dict[str, float]:
    """Each root of the question, and how rare its words are in what the organisation has."""
    vocabulary = vocabulary_of((project.organisation_id,))
    weights: dict[str, float] = {}
    for root in roots_of(question)[:12]:
        known = [root, stem(root), *vocabulary.beginning_with(root)]
        weights[root] = min(vocabulary.weight(word) for word in known)
    return weights


def covered_share(text: str, roots: Roots) -> float:
    plain = folded(text)
    held = sum(weight for root, weight in roots.items() if re.search(rf"(?<![^\W_]){re.escape(root)}", plain))
    return held / (sum(roots.values()) or 1.0)


def quoted(text: str, roots: Roots, length: int = PASSAGE) -> str:
    """The sentences of a text that say most of what is asked."""
    weights = {
        word: weight
        for word in set(words_of(text))
        for root, weight in roots.items()
        if word.startswith(root) or (len(word) >= 4 and root.startswith(word))
    }
    return best_passage(text, weights, length=length) or text[:length].strip()


def _any(field: str, roots: Roots) -> Q:
    return Q(**{f"{field}__iregex": "|".join(rf"\m{loose_pattern(root)}" for root in roots)})


def _documents(project: Project, roots: Roots) -> list[Passage]:
    rows = Document.objects.filter(project=project).exclude(indexed_content="").filter(_any("indexed_content", roots))
    found: list[Passage] = []
    for document in rows.defer("extracted_data").order_by("-created_at")[:CANDIDATES]:
        blocks = [
            (covered_share(text, roots), page, line, text) for page, line, text in blocks_of(document.indexed_content)
        ]
        for covered, page, line, text in sorted(blocks, key=lambda block: -block[0])[:2]:
            passage = quoted(text, roots)
            place = (
                f"page {page}" if PAGE_BREAK in document.indexed_content else f"line {line + _line_in(text, passage)}"
            )
            citation = cite_document(document, place=place, quote=passage, page=page)
            found.append(Passage(citation, passage, covered))
    return found


def blocks_of(text: str) -> list[tuple[int, int, str]]:
    """(page, line within it, text), cut at line ends into stretches of BLOCK characters or so; both count from 1."""
    blocks: list[tuple[int, int, str]] = []
    for page, content in enumerate(text.split(PAGE_BREAK), 1):
        lines: list[str] = []
        begins = 1
        for number, line in enumerate(content.split("\n"), 1):
            lines.append(line)
            if sum(map(len, lines)) >= BLOCK:
                blocks.append((page, begins, "\n".join(lines)))
                lines, begins = [], number + 1
        if any(line.strip() for line in lines):
            blocks.append((page, begins, "\n".join(lines)))
    return blocks


def _line_in(text: str, passage: str) -> int:
    return text[: max(0, text.find(passage))].count("\n")


def _positions(project: Project, roots: Roots) -> list[Passage]:
    score = sum(
        (
            Case(
                When(search_text__regex=rf"\m{loose_pattern(root)}", then=Value(weight)),
                default=Value(0.0),
                output_field=FloatField(),
            )
            for root, weight in roots.items()
        ),
        start=Value(0.0, output_field=FloatField()),
    )
    rows: list[Position] = list(
        live(project.pk)
        .filter(_any("search_text", roots))
        .annotate(score=score)
        .defer("measure", "enrichment")
        .order_by("-score", "-total", "ordinal")[:CANDIDATES]
    )
    names = file_names(rows)
    found = []
    for row in rows:
        text = " ".join(filter(None, (row.number, row.code, row.description, row.long_text)))
        citation = cite_position(row, names.get(row.document_id, "") if row.document_id else "")
        said = quoted(row.long_text, roots) if row.long_text else row.description[:QUOTED]
        found.append(Passage(citation | {"quote": said}, f"{row.description}\n{said}", covered_share(text, roots)))
    return found


def _findings(project: Project, roots: Roots) -> list[Passage]:
    rows = Finding.objects.of_current_positions(project.pk).filter(_any("reasoning", roots)).select_related("position")
    found = []
    for row in rows.order_by("-money_at_stake", "id")[:CANDIDATES]:
        text = f"{row.rule_id} {title_of_rule(row.rule_id)}. {row.reasoning}"
        found.append(Passage(cite_finding(row), row.reasoning[:QUOTED], covered_share(text, roots)))
    return found


def _versions(project: Project, roots: Roots) -> list[Passage]:
    rows = BudgetVersion.objects.filter(project=project).defer("changes").order_by("-number")[:50]
    found = []
    for row in rows:
        reason = str(row.trigger_details.get("reason", ""))
        if reason:
            citation = cite_version(row)
            citation["quote"] = reason[:QUOTED]
            found.append(Passage(citation, reason[:QUOTED], covered_share(reason, roots)))
    return found


def _clauses(project: Project, question: str, roots: Roots) -> list[Passage]:
    told = found_for(seen=Seen((project.organisation_id,), "clause"), question=question, limit=CANDIDATES)
    texts = dict(Entity.objects.filter(pk__in=[hit.id for hit in told.hits]).values_list("pk", "text"))
    found = []
    for hit in told.hits:
        text = texts.get(hit.id, "")
        passage = best_passage(text, told.asked.weights) or hit.name
        citation: Citation = {
            "kind": "clause",
            "id": str(hit.id),
            "title": hit.name,
            "place": hit.code,
            "quote": passage[:QUOTED],
            "url": hit.url,
        }
        covered = max(hit.covered, covered_share(f"{hit.name} {text}", roots))
        found.append(Passage(citation, passage, covered, hit.is_exact))
    return found
