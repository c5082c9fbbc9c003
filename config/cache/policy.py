"""What is kept in caches: the one place that knows each namespace, for how long, and who makes it stale.

To keep something new: declare it here, once a measurement says that it pays; ask for it by
`get_or_set(name, parts, make)`; on every write path call `invalidate(name)` or `forget(name, *parts)` (both wait for
the commit), or put whatever changes it into `parts`; and test each of those paths.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Namespace:
    """`ttl_s`: how long a value is fresh. `grace_s`: how long beyond that the old value may be served while one caller
    makes the new one. `compute_s`: the longest that making one takes; a caller who died is replaced after it.
    `shape`: counted up when the value's type changes, so that no release reads what another one wrote."""

    name: str
    ttl_s: int
    purpose: str
    invalidated_by: str
    grace_s: int = 60
    compute_s: int = 30
    shape: int = 1


DECLARED = (
    Namespace(
        "sections",
        ttl_s=24 * 3600,
        purpose="The tree of a version's objects and sections, above its positions and in its charts.",
        invalidated_by="Nobody: keyed by project and version, and a version never changes.",
    ),
    Namespace(
        "role_counts",
        ttl_s=600,
        purpose="Positions by expert role and grade, for the charts.",
        invalidated_by="Nobody: keyed by the project's time of change, which audits and decisions move.",
    ),
    Namespace(
        "ratio_profile",
        ttl_s=600,
        purpose="Steel, formwork and concrete of a building by kind of element: it reads every position.",
        invalidated_by="Nobody: keyed by the project's time of change, which versions and models move.",
    ),
    Namespace(
        "project_money",
        ttl_s=600,
        purpose="Money at stake by expert role, and codes at several prices, for the charts.",
        invalidated_by="Nobody: keyed by the project's time of change, which audits and decisions move.",
    ),
    Namespace(
        "tender_words",
        ttl_s=24 * 3600,
        compute_s=120,
        grace_s=3600,
        purpose="How many notices of a language have each word, from a sample: what makes a word telling.",
        invalidated_by="Nobody: a day's new notices hardly move it.",
    ),
    Namespace(
        "quiz",
        ttl_s=300,
        purpose="Pools of questions already encoded, which quizzes are drawn from (quiz/services/pool.py).",
        invalidated_by="Whatever writes questions, banks or categories.",
    ),
    Namespace(
        "clauses",
        ttl_s=300,
        grace_s=3600,
        purpose="Clauses found for a search (quiz/services/searching.py).",
        invalidated_by="Whatever writes clauses.",
    ),
    Namespace(
        "demand",
        ttl_s=2,
        grace_s=0,
        purpose="Figures and lists of demand, for each circle of organisations (analytics/api/demand_views.py).",
        invalidated_by="Nobody: two seconds old at most.",
    ),
    Namespace(
        "demand_patterns",
        ttl_s=60,
        grace_s=60,
        purpose="What is asked for together, and spikes, which are made of many hours.",
        invalidated_by="Nobody: an hour's signals hardly move them.",
    ),
    Namespace(
        "analytics",
        ttl_s=120,
        grace_s=0,
        purpose="Figures of an organisation's training calls by period (quiz/services/training/organisation.py).",
        invalidated_by="Whatever grades, closes, opens or removes a call.",
    ),
)
NAMESPACES = {namespace.name: namespace for namespace in DECLARED}


def namespace_of(name: str) -> Namespace:
    """KeyError: it is not declared here."""
    try:
        return NAMESPACES[name]
    except KeyError:
        raise KeyError(f"No cache is called {name!r}: declare it in config/cache/policy.py.") from None
