"""The model against the rules, of one tender; and how right the order is, by what people said of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ..analysis import METHOD, Assessment
from ..models import Enrichment, Score, Tender
from . import selecting
from .enriching import by_rules

CUTS = (5, 10, 20)


@dataclass(frozen=True, slots=True)
class Pair:
    """A factor as both see it; None: that one does not name it."""

    name: str
    rules: float | None
    model: float | None
    rules_why: str
    model_why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`difference`: model's score less the rules'. `model_row`: tokens, cost, when."""

    rules: Assessment
    rules_name: str
    model: Assessment
    model_name: str
    model_row: Enrichment
    difference: float
    is_same_relevance: bool
    factors: list[Pair]
    shared_keywords: list[str]
    only_rules_keywords: list[str]
    only_model_keywords: list[str]


def comparison(tender: Tender, organisation_id: UUID) -> Comparison | None:
    """None: no model has read it. The rules read it now, by the profile as it is: that costs milliseconds and is never
    out of date."""
    row = (
        Enrichment.objects.filter(tender=tender, organisation_id=organisation_id, method=Enrichment.Method.MODEL)
        .order_by("-created_at")
        .first()
    )
    if row is None:
        return None
    model = Assessment.model_validate(row.result)
    rules = by_rules(tender, selecting.profile_for(organisation_id))
    ours, theirs = ({word.casefold() for word in one.keywords} for one in (rules, model))
    return Comparison(
        rules=rules,
        rules_name=METHOD,
        model=model,
        model_name=row.analyser,
        model_row=row,
        difference=round(model.score - rules.score, 4),
        is_same_relevance=model.relevance == rules.relevance,
        factors=_pairs(rules, model),
        shared_keywords=sorted(ours & theirs),
        only_rules_keywords=sorted(ours - theirs),
        only_model_keywords=sorted(theirs - ours),
    )


def _pairs(rules: Assessment, model: Assessment) -> list[Pair]:
    by_name = [{factor.name: factor for factor in one.factors} for one in (rules, model)]
    ours, theirs = by_name
    pairs = []
    for name in dict.fromkeys([*ours, *theirs]):
        one, other = ours.get(name), theirs.get(name)
        pairs.append(
            Pair(
                name,
                one.contribution if one else None,
                other.contribution if other else None,
                one.why if one else "",
                other.why if other else "",
            )
        )
    return pairs


@dataclass(frozen=True, slots=True)
class Precision:
    """Of the `judged` tenders among the `k` that are ranked first, the share that people found useful; None: nobody
    has judged one of them."""

    k: int
    judged: int
    useful: int

    @property
    def share(self) -> float | None:
        return self.useful / self.judged if self.judged else None


def precision(organisation_id: UUID) -> list[Precision]:
    """At 5, 10 and 20 of the ranking as it is, from the thumbs of the organisation's own people."""
    scores = Score.objects.filter(organisation_id=organisation_id).order_by("-relevance_score", "tender_id")
    thumbs = list(scores.values_list("is_useful", flat=True)[: CUTS[-1]])
    found = []
    for k in CUTS:
        judged = [thumb for thumb in thumbs[:k] if thumb is not None]
        found.append(Precision(k, len(judged), sum(judged)))
    return found
