"""Demand on the operations page: how the streams are, and what about them needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.services.overview import Overview
from jobs.services.overview.alarms import Alarm, add_finder
from jobs.services.overview.guarded import part
from jobs.services.overview.kept import Kept
from jobs.services.overview.shapes import Part
from jobs.services.overview.words import age, count

from .models import DemandProof
from .services.backlog import SignalsState, signals_state
from .services.refreshing_setbacks import failing_sources

UNREAD_S = 60  # consumers that are there are a second behind
DEAD_MOST = 100  # a few are clients that send nonsense

_state = Kept(lambda: part("signals", signals_state), for_s=2.0)
_proof = Kept(lambda: part("demand", DemandProof.objects.first), for_s=30.0)


_failing = Kept(lambda: part("demand", failing_sources), for_s=30.0)


def state() -> Part[SignalsState]:
    """As it was a moment ago. Never raises."""
    return _state.get()


def forget() -> None:
    _state.forget()
    _proof.forget()
    _failing.forget()


def find(seen: Overview) -> Iterator[Alarm]:
    failing = _failing.get().value
    if failing:
        yield Alarm(
            "refresh-failing",
            "soon",
            f"What is wanted is not refreshed: {', '.join(each.source for each in failing[:5])}",
            f"{count(failing[0].failures, 'failure')} in a row. The last: {failing[0].error[:200]}",
            "Mend the cause; then end the wait in the admin, under refresh setbacks.",
        )
    yield from _of_signals()


def _of_signals() -> Iterator[Alarm]:
    signals = state().value
    if signals is None:
        return  # Redis is away, which is an alarm of its own
    if signals.lag_s > UNREAD_S and not signals.alive:
        yield Alarm(
            "signals-unread",
            "soon",
            "Nobody counts demand signals",
            f"The oldest has waited for {age(signals.lag_s)}. Searches work; figures of demand stand still.",
            "Start a consumer: manage.py consume_signals",
        )
    elif signals.lag_s > UNREAD_S:
        yield Alarm(
            "signals-behind",
            "soon",
            f"Demand signals are {age(signals.lag_s)} behind",
            f"{count(sum(stream.alive for stream in signals.streams), 'consumer')} at work, and not fast enough.",
            "Start more of them, or see what holds up their transactions.",
        )
    if signals.dead > DEAD_MOST:
        yield Alarm(
            "signals-dead",
            "soon",
            f"{signals.dead:,} demand signals could not be counted",
            "Each has its reason, and waits to be tried again or dropped.",
            "Look at them in the admin, under dead signals.",
        )
    proof = _proof.get().value
    if proof is not None and not proof.holds:
        yield Alarm(
            "demand-differs",
            "soon",
            f"Demand does not add up for {proof.differing:,} of {proof.entities:,} entities",
            "Hours and days of an entity should add up to its count: signals were lost, or counted twice.",
            "Open the latest proof in the admin: it names some of them.",
        )


def card() -> tuple[str, dict[str, Any]]:
    """For the operations page."""
    found = state()
    return "admin/analytics/_card.html", {"seen": found.value, "error": found.error, "proof": _proof.get().value}


add_finder(find)
