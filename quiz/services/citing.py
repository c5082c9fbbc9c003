"""What questions cite, found among the clauses of current editions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from ..models import QuestionVersion

LONGEST = 120  # of Citation.as_written
_WORDS = re.compile(r"\b(?:clauses?|sections?|sec\.|articles?|art\.|paragraphs?|par\.)(?=\s|\d)", re.IGNORECASE)
_LAST_PARAGRAPH = re.compile(r"\([^()]*\)$")


def clauses_cited(
    references: Iterable[str], *, organisation_id: UUID | None, edition_id: UUID | None = None
) -> dict[str, UUID]:
    """By reference as written: the clause it means, of a current edition that is shared or the organisation's own; with
    `edition_id`, of that edition.

    A number may follow the code of its standard ("AWS D1.1 4.1.2", "47 CFR § 97.119(b)(2)"); alone it must be in one
    standard only. A paragraph that is not held is found at the nearest one around it: 97.119(b)(2), 97.119(b), 97.119.
    What can't be found, or could mean two clauses, is left out. One query.
    """
    named = {reference: _numbers(reference) for reference in set(references)}
    wanted = {number for numbers in named.values() for number in numbers}
    if not wanted:
        return {}
    held = _held(sorted(wanted), organisation_id, edition_id)
    found = ((reference, _clause(reference, numbers, held)) for reference, numbers in named.items())
    return {reference: clause for reference, clause in found if clause is not None}


def cite(
    *,
    cited: Mapping[UUID | str, Sequence[str]],
    organisation_id: UUID | None,
    is_new: bool = False,
    is_same_wording: bool = False,
) -> int:
    """Make the citations of these questions those of their references; how many were found. `is_new`: the questions
    have none yet. `is_same_wording`: citations that wait for a person, or that one has decided, stay as they are, and
    their references are not looked up. In the caller's transaction, or one of its own."""
    with transaction.atomic(), connection.cursor() as cursor:
        if is_same_wording and cited:
            cited = _undecided(cited, organisation_id)
        clauses = clauses_cited(
            (each for several in cited.values() for each in several), organisation_id=organisation_id
        )
        rows: dict[tuple[str, UUID], str] = {}
        for question_id, references in cited.items():
            for reference in references:
                if reference in clauses:
                    rows.setdefault((str(question_id), clauses[reference]), reference[:LONGEST])
        if not is_new and cited:
            kept = "AND NOT is_waiting AND decided_at IS NULL" if is_same_wording else ""
            cursor.execute(
                f"DELETE FROM quiz_citation WHERE question_id = ANY(%s::uuid[]) {kept}",  # noqa: S608 - of ours
                [list(map(str, cited))],
            )
        if rows:
            cursor.execute(
                "INSERT INTO quiz_citation (question_id, clause_id, as_written) "
                "SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) ON CONFLICT DO NOTHING",
                [[question for question, _ in rows], [clause for _, clause in rows], list(rows.values())],
            )
    return len(rows)


def cite_again(*, organisation_id: UUID | None) -> int:
    """Citations of all questions that could cite the organisation's clauses (None: anybody's); how many were found."""
    versions = QuestionVersion.objects.filter(question__current__pk=F("pk")).exclude(references=[])
    if organisation_id is not None:
        versions = versions.filter(question__bank__organisation_id=organisation_id)
    by_organisation: dict[UUID | None, dict[UUID | str, Sequence[str]]] = {}
    for owner, question, references in versions.values_list(
        "question__bank__organisation_id", "question_id", "references"
    ):
        by_organisation.setdefault(owner, {})[question] = references
    return sum(
        cite(cited=cited, organisation_id=owner, is_same_wording=True) for owner, cited in by_organisation.items()
    )


def _undecided(
    cited: Mapping[UUID | str, Sequence[str]], organisation_id: UUID | None
) -> dict[UUID | str, Sequence[str]]:
    """Without the references that stand for citations which wait or were decided: those that are written like one, and
    those that are found, in the edition it was cited from, at the same clause."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.question_id::text, t.as_written, c.id, c.edition_id FROM quiz_citation t "
            "JOIN quiz_clause c ON c.id = coalesce(t.moved_from_id, t.clause_id) "
            "WHERE t.question_id = ANY(%s::uuid[]) AND (t.is_waiting OR t.decided_at IS NOT NULL)",
            [list(map(str, cited))],
        )
        kept = cursor.fetchall()
    if not kept:
        return dict(cited)
    texts = {str(question): references for question, references in cited.items()}
    gone: set[tuple[str, str]] = set()
    for edition_id in {row[3] for row in kept}:
        here = [row for row in kept if row[3] == edition_id]
        references = {each for question, *_ in here for each in texts[question]}
        found = clauses_cited(references, organisation_id=organisation_id, edition_id=edition_id)
        for question, as_written, clause_id, _ in here:
            gone |= {
                (question, each)
                for each in texts[question]
                if each[:LONGEST] == as_written or found.get(each) == clause_id
            }
    return {
        question: [each for each in references if (str(question), each) not in gone]
        for question, references in cited.items()
    }


def _numbers(reference: str) -> list[tuple[str, str]]:
    """(standard, number) that the reference may mean, the most exact first; the standard "" where none is named."""
    words = _WORDS.sub(" ", reference.replace("§", " ").replace(",", " ")).split()
    found: list[tuple[str, str]] = []
    if not words:
        return found
    standard, number = " ".join(words[:-1]).casefold(), words[-1]
    while number:
        found.append((standard, number))
        shorter = _LAST_PARAGRAPH.sub("", number)
        if shorter == number:
            break
        number = shorter
    return found


def _held(
    wanted: Sequence[tuple[str, str]], organisation_id: UUID | None, edition_id: UUID | None
) -> dict[str, list[tuple[str, UUID]]]:
    """By number: (code of the standard, clause)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number, s.code, c.id FROM quiz_clause c JOIN quiz_edition e ON e.id = c.edition_id "
            "JOIN quiz_standard s ON s.id = e.standard_id WHERE c.number = ANY(%s) "
            "AND (s.organisation_id IS NULL OR s.organisation_id = %s) "
            "AND CASE WHEN %s::uuid IS NULL THEN e.is_current ELSE e.id = %s::uuid END",
            [sorted({number for _, number in wanted}), organisation_id, edition_id, edition_id],
        )
        held: dict[str, list[tuple[str, UUID]]] = {}
        for number, code, clause_id in cursor.fetchall():
            held.setdefault(number, []).append((" ".join(code.casefold().split()), clause_id))
    return held


def _clause(
    reference: str, numbers: Sequence[tuple[str, str]], held: Mapping[str, Sequence[tuple[str, UUID]]]
) -> UUID | None:
    for standard, number in numbers:
        clauses = held.get(number, ())
        if standard:
            clauses = [each for each in clauses if each[0] == standard]
        if len(clauses) == 1:
            return clauses[0][1]
        if clauses:
            return None
    return None
