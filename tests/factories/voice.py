"""Voice connections, and reports as a voice service sends them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any

from accounts.models import Organisation
from quiz.models import VoiceConnection

SECRET = "a secret of thirty-two characters"
SAID = (
    ("bot", "Hello, you wanted to ask about the tender documents?"),
    ("user", "Yes. Which edition of the welding code do you want us to price?"),
    ("bot", "The current one. The drawings still name the old one."),
    ("user", "Then I will send you a written question as the next step, by Friday."),
)


def make_connection(organisation: Organisation, **fields: Any) -> VoiceConnection:
    """Known by a bearer token unless told."""
    values = {"name": "Vapi", "secret": SECRET, "method": VoiceConnection.Method.BEARER}
    return VoiceConnection.objects.create(organisation=organisation, **(values | fields))


def messages(said: Sequence[tuple[str, str]] = SAID, *, seconds: float = 5.0) -> list[dict[str, Any]]:
    """Each so long, one after the other."""
    return [
        {
            "role": role,
            "message": text,
            "secondsFromStart": number * seconds,
            "duration": seconds * 1000,
            "time": 1795300000000 + number * seconds * 1000,
            "endTime": 1795300000000 + (number + 1) * seconds * 1000,
        }
        for number, (role, text) in enumerate(said)
    ]


def report(
    call_id: str = "call-1", said: Sequence[tuple[str, str]] = SAID, *, metadata: Any = None, **more: Any
) -> dict[str, Any]:
    """An end-of-call report."""
    call = {"id": call_id, "type": "webCall", "metadata": metadata or {}}
    told = {
        "type": "end-of-call-report",
        "timestamp": 1795300100000,
        "call": call,
        "startedAt": "2026-11-20T10:00:00.000Z",
        "endedAt": "2026-11-20T10:00:20.000Z",
        "endedReason": "customer-ended-call",
        "artifact": {"messages": messages(said), "transcript": "\n".join(": ".join(each) for each in said)},
        "analysis": {"summary": "A service's own words.", "successEvaluation": "true"},
    }
    return {"message": told | more}


def listed(
    call_id: str, updated_at: str, said: Sequence[tuple[str, str]] = SAID, *, status: str = "ended", **more: Any
) -> dict[str, Any]:
    """A call as the service's API lists it."""
    told = {
        "id": call_id,
        "status": status,
        "createdAt": updated_at,
        "updatedAt": updated_at,
        "startedAt": updated_at,
        "endedAt": updated_at,
        "artifact": {"messages": messages(said)},
    }
    return told | more


def body_of(told: Any) -> bytes:
    return told if isinstance(told, bytes) else json.dumps(told).encode()


def bearer(secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def signed(
    body: bytes, *, secret: str = SECRET, at: float | None = None, of_body_alone: bool = False
) -> dict[str, str]:
    """As HMAC of "{timestamp}.{body}"; `at`: seconds since 1970."""
    stamp = str(int(time.time() if at is None else at))
    content = body if of_body_alone else stamp.encode() + b"." + body
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return {"X-Vapi-Signature": signature, "X-Vapi-Timestamp": stamp}
