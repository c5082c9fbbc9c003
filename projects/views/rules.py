"""Rules of the audit in people's words."""

from __future__ import annotations

from functools import lru_cache

from ..audit.registry import Rule, all_rules


@lru_cache(maxsize=1)
def known_rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in all_rules()}


def rule_title(rule_id: str) -> str:
    """Rows of an older release may name a rule that is gone."""
    rule = known_rules().get(rule_id)
    return rule.title if rule else "A rule of an earlier release"


def rule_source(rule_id: str) -> str:
    """Where the rule comes from: a standard and its clause, or a custom of the trade."""
    rule = known_rules().get(rule_id)
    return rule.source if rule else ""
