"""What tests of the editor share: a question of each kind, the form as a browser sends it."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from accounts.models import User
from quiz.exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from quiz.exchange.soundness import true_false
from quiz.models import Bank, Question
from quiz.services import editing, files

WHOLE = Decimal(1)
GIFT = "// [id:G1]\n::First:: What comes first? {{={right} ~Peen #No!}}\n"
ITEMS = {
    Kind.SINGLE: Item(
        Kind.SINGLE, "What *comes* first?", markup=Markup.MARKDOWN, explanation="By the **table**", title="First",
        choices=(Choice("Preheat", WHOLE, "Right"), Choice("Peen", Decimal("-0.25")), Choice("Grind", Decimal("0.5"))),
        references=("AWS D1.1 4.1", "4.2"), tags=("a", "b c"), difficulty=Decimal("0.25"),
    ),
    Kind.MULTIPLE: Item(
        Kind.MULTIPLE, "<p>Which?</p>", markup=Markup.HTML,
        choices=tuple(Choice(text, share) for text, share in
                      (("A", Decimal("0.3333333")), ("B", Decimal("0.3333333")), ("C", Decimal("0.3333333")),
                       ("D", Decimal(0)))),
    ),
    Kind.TRUE_FALSE: Item(Kind.TRUE_FALSE, "Steel rusts.", choices=true_false(True, if_true="Yes", if_false="It does")),
    Kind.SHORT: Item(
        Kind.SHORT, "Name it.", accepted=(Accepted("E70*"), Accepted("e7", Decimal("0.5"), "Nearly")),
        is_case_sensitive=True,
    ),
    Kind.NUMERIC: Item(
        Kind.NUMERIC, "How hot?",
        ranges=(Range(Decimal("9.5"), Decimal("10.5")), Range(Decimal(9), Decimal(11), Decimal("0.5"), "Nearly")),
    ),
    Kind.MATCHING: Item(Kind.MATCHING, "Match.", pairs=(Pair("a", "1"), Pair("b", "2"), Pair("", "3"))),
    Kind.ORDERING: Item(Kind.ORDERING, "Order.", sequence=("tack", "weld", "grind")),
}  # fmt: skip


def percent(share: Decimal) -> str:
    return f"{share * 100:f}"


def sent(item: Item, **more: Any) -> dict[str, Any]:
    """The form as a browser sends it, every share spelt out."""
    rows: dict[str, list[dict[str, str]]] = {
        "choices": [{"text": c.text, "feedback": c.feedback, "share": percent(c.share)} for c in item.choices],
        "accepted": [{"text": a.text, "feedback": a.feedback, "share": percent(a.share)} for a in item.accepted],
        "ranges": [
            {"number": str((r.low + r.high) / 2), "tolerance": str((r.high - r.low) / 2), "feedback": r.feedback,
             "share": percent(r.share)}
            for r in item.ranges
        ],
        "pairs": [{"left": p.left, "right": p.right} for p in item.pairs],
        "sequence": [{"text": text} for text in item.sequence],
    }  # fmt: skip
    is_truth = item.kind is Kind.TRUE_FALSE and bool(item.choices)
    values: dict[str, Any] = {
        "kind": item.kind.value, "markup": item.markup.value, "stem": item.stem, "explanation": item.explanation,
        "references": "\n".join(item.references), "tags": ", ".join(item.tags), "title": item.title,
        "difficulty": "" if item.difficulty is None else str(item.difficulty), "category": "Welding",
        "truth": next((c.text for c in item.choices if c.share == 1), "") if is_truth else "",
        "if_true": item.choices[0].feedback if is_truth else "",
        "if_false": item.choices[1].feedback if is_truth else "",
    }  # fmt: skip
    if item.is_case_sensitive:
        values["is_case_sensitive"] = "on"
    for name, found in rows.items():
        values |= {f"{name}-TOTAL_FORMS": len(found), f"{name}-INITIAL_FORMS": 0}
        values |= {f"{name}-{at}-{key}": text for at, row in enumerate(found) for key, text in row.items()}
    return values | more


def written(staff: User, bank: Bank, kind: Kind = Kind.SINGLE) -> Question:
    return editing.write_question(actor=staff, bank_id=bank.pk, item=ITEMS[kind], category="Welding")


def edit(actor: User, question: Question, item: Item, **more: Any) -> bool:
    given: dict[str, Any] = {"seen": question.source_hash, "category": question.category.name} | more
    return editing.edit_question(actor=actor, question_id=question.pk, item=item, **given)


def imported(bank: Bank, right: str = "Preheat", **more: Any) -> Any:
    return files.import_file(bank=bank, stream=io.BytesIO(GIFT.format(right=right).encode()), filename="p.gift", **more)
