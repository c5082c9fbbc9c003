"""The rules as an organisation has them: with its own figures, and how often each was right."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Organisation

from ..audit.registry import Rule, all_rules
from ..audit.thresholds import TABLE, Threshold, merged
from ..models import ThresholdSetting
from .precision import LEAST, Precision, decided


@dataclass(frozen=True, slots=True)
class ShownThreshold:
    name: str
    row: Threshold
    setting: ThresholdSetting | None

    @property
    def value(self) -> Decimal:
        return self.setting.value.normalize() if self.setting else self.row.value


@dataclass(frozen=True, slots=True)
class ShownRule:
    rule: Rule
    thresholds: list[ShownThreshold]
    precision: Precision | None
    is_measured: bool


def shown_rules(organisation: Organisation) -> list[ShownRule]:
    """Two queries."""
    rows = ThresholdSetting.objects.filter(organisation=organisation).select_related("changed_by")
    settings = {row.name: row for row in rows}
    least = merged({name: row.value for name, row in settings.items() if name in TABLE})[LEAST]
    judged = decided(organisation_id=organisation.pk)
    shown = []
    for rule in all_rules():
        thresholds = [ShownThreshold(name, TABLE[name], settings.get(name)) for name in rule.thresholds]
        precision = judged.get(rule.id)
        is_measured = precision is not None and precision.judged >= least
        shown.append(ShownRule(rule, thresholds, precision, is_measured))
    return shown
