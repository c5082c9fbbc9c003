"""Quizzes as they lie in the tables, written straight into them: minimal, never random."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import Organisation
from quiz.models import Bank, Category, Citation, Clause, Edition, Question, QuestionVersion, Standard
from quiz.practice.bodies import Body

_numbers = count(1)
BODIES: dict[str, Body] = {
    "single": {
        "choices": [
            {"id": "k1", "text": "Porosity", "share": "0", "feedback": "That is gas in the metal."},
            {"id": "k2", "text": "Undercut", "share": "1", "feedback": "A groove at the toe."},
            {"id": "k3", "text": "Overlap", "share": "0"},
            {"id": "k4", "text": "Spatter", "share": "0"},
        ]
    },
    "true_false": {
        "choices": [{"id": "t", "text": "True", "share": "1"}, {"id": "f", "text": "False", "share": "0"}],
    },
    "multiple": {
        "choices": [
            {"id": "m1", "text": "Visual", "share": "0.5"},
            {"id": "m2", "text": "Tasting", "share": "0"},
            {"id": "m3", "text": "Ultrasonic", "share": "0.5"},
            {"id": "m4", "text": "Guessing", "share": "0"},
        ]
    },
    "short": {
        "accepted": [{"text": "open root", "share": "1"}, {"text": "*root*", "share": "0.5"}],
        "is_case_sensitive": False,
    },
    "numeric": {"ranges": [{"low": "3.1", "high": "3.3", "share": "1"}]},
    "matching": {
        "pairs": [
            {"id": "p1", "left": "GMAW", "right": "Solid wire"},
            {"id": "p2", "left": "SMAW", "right": "Stick"},
            {"id": "p3", "left": "", "right": "Torch"},
        ]
    },
    "ordering": {
        "sequence": [
            {"id": "s1", "text": "Clean"},
            {"id": "s2", "text": "Preheat"},
            {"id": "s3", "text": "Weld"},
        ]
    },
}  # fmt: skip


def make_bank(organisation: Organisation | None = None, name: str = "") -> Bank:
    """Shared, unless it is an organisation's."""
    return Bank.objects.create(organisation=organisation, name=name or f"Bank {next(_numbers)}")


def make_category(name: str = "", organisation: Organisation | None = None, **fields: Any) -> Category:
    return Category.objects.create(organisation=organisation, name=name or f"Category {next(_numbers)}", **fields)


def make_question(
    category: Category, bank: Bank | None = None, kind: str = "single", difficulty: str | None = None, **fields: Any
) -> Question:
    """Live, with its first version; its bank is named like the category unless one is given."""
    number = next(_numbers)
    if bank is None:
        bank, _ = Bank.objects.get_or_create(name=category.name, organisation=category.organisation)
    question = Question.objects.create(
        bank=bank, category=category, external_id=f"Q{number}", source_hash=_digest(number)
    )
    question.current = make_version(question, kind, difficulty=Decimal(difficulty) if difficulty else None, **fields)
    question.save(update_fields=["current"])
    return question


def make_version(question: Question, kind: str = "single", number: int = 1, **fields: Any) -> QuestionVersion:
    body = fields.pop("body", BODIES[kind])
    values: dict[str, Any] = {
        "stem": f"What is shown by {question.external_id}?",
        "explanation": "A groove melted into the base metal is undercut.",
        "content_hash": _digest([question.external_id, number, body]),
    }
    return QuestionVersion.objects.create(question=question, number=number, kind=kind, body=body, **values | fields)


def make_questions(category: Category, amount: int, **fields: Any) -> list[Question]:
    return [make_question(category, **fields) for _ in range(amount)]


def make_clause(
    number: str = "4.1.2", title: str = "Preheating", organisation: Organisation | None = None, **fields: Any
) -> Clause:
    """Of AWS D1.1, 2025, current."""
    standard, _ = Standard.objects.get_or_create(code=fields.pop("standard", "AWS D1.1"), organisation=organisation)
    edition, _ = Edition.objects.get_or_create(standard=standard, name="2025")
    position = fields.pop("position", Clause.objects.filter(edition=edition).count() + 1)
    return Clause.objects.create(edition=edition, number=number, title=title, position=position, **fields)


def cite(question: Question, clause: Clause) -> Citation:
    return Citation.objects.create(question=question, clause=clause, as_written=clause.number)


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
