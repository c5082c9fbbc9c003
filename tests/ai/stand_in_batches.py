"""The stand-in's Message Batches: handed over, looked at, answered in any order, some twice, some not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
UNBILLED = ("errored", "expired", "canceled")


@dataclass
class Batch:
    id: str
    requests: list[Json]
    created_at: datetime
    looks: int = 0
    is_canceled: bool = False
    lines: list[Json] = field(default_factory=list)


@dataclass
class Batches:
    """`looks`: how often somebody has to look before it is answered. `fates`: of the questions, in turn: those of
    `stand_in`, UNBILLED, "missing" (it has no line). `doubles`: each line comes twice, the second one otherwise."""

    looks: int = 0
    fates: list[str] = field(default_factory=list)
    doubles: bool = False
    made: dict[str, Batch] = field(default_factory=dict)

    def create(self, body: Json) -> Batch:
        batch = Batch(f"msgbatch_{len(self.made) + 1:04}", body["requests"], datetime.now(UTC))
        assert len({each["custom_id"] for each in batch.requests}) == len(batch.requests)
        self.made[batch.id] = batch
        return batch

    def look(self, batch: Batch) -> Json:
        batch.looks += 1
        return self.told(batch)

    def told(self, batch: Batch) -> Json:
        has_ended = batch.is_canceled or batch.looks > self.looks
        counts = dict.fromkeys(("processing", "succeeded", *UNBILLED), 0)
        counts["succeeded" if has_ended else "processing"] = len(batch.requests)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if has_ended else "in_progress",
            "request_counts": counts,
            "created_at": batch.created_at.isoformat(),
            "expires_at": (batch.created_at + timedelta(days=1)).isoformat(),
            "ended_at": datetime.now(UTC).isoformat() if has_ended else None,
            "results_url": "http://198.51.100.1/elsewhere" if has_ended else None,
        }

    def results(self, batch: Batch, message: Any) -> str:
        """`message(body, fate)`: of a question that was answered. The same each time it is fetched."""
        if not batch.lines:
            for request in reversed(batch.requests):
                fate = self.fates.pop(0) if self.fates else "canceled" if batch.is_canceled else ""
                if fate != "missing":
                    batch.lines.append({"custom_id": request["custom_id"], "result": _result(request, fate, message)})
            if self.doubles:
                again = [line | {"result": {"type": "errored", "error": {"type": "error"}}} for line in batch.lines]
                batch.lines += again
            batch.lines.append({"custom_id": "nobody's", "result": {"type": "expired"}})
        return "\n".join(json.dumps(line) for line in batch.lines) + "\n"


def _result(request: Json, fate: str, message: Any) -> Json:
    if fate == "errored":
        error = {"type": "invalid_request_error", "message": "Too long by half."}
        return {"type": "errored", "error": {"type": "error", "error": error}}
    if fate in UNBILLED:
        return {"type": fate}
    return {"type": "succeeded", "message": message(request["params"], fate)}
