"""`manage.py ai_check`: what is configured, and one small question to see whether it answers."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pydantic import BaseModel

from accounts.exceptions import PlumblineError
from ai.configuration import OFFLINE
from ai.services import pausing
from ai.services.asking import ask
from ai.services.status import State, state


class Sum(BaseModel):
    """What the question of this command is answered by."""

    result: int


class Command(BaseCommand):
    help = "Say which language model is configured and whether it may be asked; ask it what 17 and 25 make."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--resume", action="store_true", help="End the pause first: the cause has been mended.")
        parser.add_argument("--no-call", action="store_true", help="Ask nothing, only tell.")
        parser.add_argument("--json", action="store_true", help="One object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["resume"]:
            print(f"{pausing.resume()} pauses ended", file=sys.stderr)
        told: dict[str, Any] = dict(state())
        if not options["json"]:
            for line in _lines(state()):
                print(line)
        if told["provider"] != OFFLINE and not options["no_call"]:
            told["call"] = self._call(is_told=not options["json"])
        if options["json"]:
            print(json.dumps(told, default=str))

    def _call(self, *, is_told: bool) -> dict[str, Any]:
        try:
            answer = ask(Sum, "What is 17 + 25?", purpose="ai.check", max_tokens=256, queue="high", wait_s=15)
        except PlumblineError as error:
            raise CommandError(f"{error.code}: {error}") from error
        cost = f"{answer.cost_usd} USD" + ("" if answer.is_price_known else " (price unknown: counted as dear)")
        if is_told:
            print(f"Answered {answer.value.result}, by {answer.model}, in {answer.latency_ms} ms: {cost}")
        if answer.value.result != 42:  # the question asks for 17 + 25
            raise CommandError(f"It answers, but wrongly: 17 + 25 is not {answer.value.result}.")
        return {"model": answer.model, "latency_ms": answer.latency_ms, "cost_usd": str(answer.cost_usd)}


def _lines(seen: State) -> list[str]:
    if seen["provider"] == OFFLINE:
        return ["No model: AI_PROVIDER is offline. Every feature reads by rules."]
    budget = "no limit" if seen["budget_usd"] is None else f"of {seen['budget_usd']} USD"
    lines = [
        f"{seen['provider']}, {seen['model']}, at {seen['base_url']}",
        f"Spent today: {seen['spent_today_usd']} USD, {budget}",
        f"In flight: {seen['in_flight']} of {seen['at_once']}, waiting: {seen['waiting']}"
        if seen["in_flight"] is not None
        else "In flight: unknown, Redis can't be reached",
    ]
    if not seen["is_price_known"]:
        lines.append("Its price is not in AI_PRICES: it is counted at the price of unknown models.")
    if seen["paused_since"]:
        lines.append(f"PAUSED since {seen['paused_since']:%Y-%m-%d %H:%M}: {seen['paused_reason']}")
    if seen["slowed_until"]:
        lines.append(f"Nobody starts before {seen['slowed_until']:%H:%M:%S}: {seen['slowed_reason']}")
    return lines
