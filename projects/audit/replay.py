"""Doing the audit of a certificate again, and saying whether it comes to the same, and where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from projects.audit.certificate import certificate
from projects.audit.certificate_file import Unreadable, read_certificate
from projects.audit.engine import audit
from projects.audit.known import rules_in_order

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Replay:
    """`problem`: why it could not be done at all. `differences`: where it comes to something else, the first few."""

    is_equal: bool
    problem: str = ""
    differences: tuple[str, ...] = ()
    sha256: str = ""
    positions: int = 0
    counts: dict[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "is_equal": self.is_equal, "problem": self.problem, "differences": list(self.differences),
            "sha256": self.sha256, "positions": self.positions, "counts": self.counts,
        }  # fmt: skip


def replay(content: bytes) -> Replay:
    """Of a certificate's bytes, packed or plain. Never raises for what the file holds."""
    try:
        found = read_certificate(content)
    except Unreadable as error:
        return Replay(False, str(error))
    versions = {rule.id: rule.version for rule in rules_in_order()}
    if versions != found.rules:
        return Replay(False, _other_rules(found.rules, versions), sha256=found.sha256, positions=len(found.view))
    result = audit(
        found.view,
        thresholds=found.thresholds,
        overrides=found.overrides,
        precision=found.precision,
    )
    now = certificate(result, found.view)
    differences = () if now == found.results else tuple(_differences(orjson.loads(found.results), orjson.loads(now)))
    return Replay(
        is_equal=now == found.results,
        differences=differences,
        sha256=found.sha256,
        positions=len(found.view),
        counts=result.counts.as_dict(),
    )


def _other_rules(stated: dict[str, int], here: dict[str, int]) -> str:
    told = [
        f"{rule_id} {stated.get(rule_id, 'none')} there, {here.get(rule_id, 'none')} here"
        for rule_id in sorted({*stated, *here})
        if stated.get(rule_id) != here.get(rule_id)
    ]
    more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return (
        "The audit was made by rules of other versions, so it can't be replayed by this release: "
        f"{'; '.join(told[:MOST_NAMED])}{more}."
    )


def _differences(stated: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    found = 0
    for name in sorted({*stated, *now}):
        if stated.get(name) == now.get(name):
            continue
        for told in _differences_of(name, stated.get(name), now.get(name)):
            found += 1
            if found > MOST_NAMED:
                yield "and more"
                return
            yield told


def _differences_of(name: str, stated: Any, now: Any) -> Iterator[str]:
    if not isinstance(stated, list) or not isinstance(now, list):
        yield f"{name}: stated {_short(stated)}, replayed {_short(now)}"
        return
    if len(stated) != len(now):
        yield f"{name}: {len(stated)} stated, {len(now)} replayed"
    for place, (before, after) in enumerate(zip(stated, now, strict=False)):
        if before != after:
            yield f"{name} {place}: stated {_short(before)}, replayed {_short(after)}"


def _short(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return text if len(text) <= 160 else f"{text[:157]}…"
