"""Whether it is the voice service of a connection that speaks, and what it is that it says.

Everything that is not right gets one answer, a connection that does not exist too, and takes the same work. Only who
has the secret learns that a message was too old.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from accounts.exceptions import Refused
from jobs.webhooks import Receiver
from jobs.webhooks.exceptions import WrongSignature
from jobs.webhooks.receivers import Headers

from ...models import VoiceConnection

SOURCE = "voice"
TAKE = "quiz.take_voice_report"
TOLERANCE_S = 300
WRONG = "The connection, or the secret or signature that came along, is not right."
STALE = "The message is too old, or from the future. Check the clocks."
LONGEST_TYPE, LONGEST_CALL = 40, 80
_MILLISECONDS = 10**11  # as seconds that would be the year 5138
Method = VoiceConnection.Method
USUAL_HEADER: dict[str, str] = {
    Method.BEARER: "authorization",
    Method.HEADER: "x-vapi-secret",
    Method.HMAC: "x-vapi-signature",
}


def receiver_of(connection_id: str) -> Receiver:
    """Of one connection; of none, or one that is switched off, a receiver that refuses everything alike."""
    connection = _active(connection_id)
    return Receiver(
        name=SOURCE,
        verify=partial(verify, connection or _nobody()),
        event_id=partial(event_id, connection_id),
        handle_kind=TAKE,
        event_type=lambda headers, body: type_of(message_in(body)),
    )


def connection_of(provider_id: str) -> UUID:
    """Of a stored message."""
    return UUID(provider_id.partition(":")[0])


def _active(connection_id: str) -> VoiceConnection | None:
    try:
        wanted = UUID(connection_id)
    except ValueError:
        return None
    return VoiceConnection.objects.filter(pk=wanted, is_active=True).first()


def _nobody() -> VoiceConnection:
    return VoiceConnection(method=Method.HMAC, secret=secrets.token_urlsafe(32))


def verify(connection: VoiceConnection, headers: Headers, body: bytes) -> None:
    """Raises WrongSignature. Compares in constant time."""
    method = Method(connection.method)
    given = headers.get(connection.header or USUAL_HEADER[method], "").strip()
    if method == Method.HMAC:
        _verify_signature(connection, given, headers, body)
        return
    if method == Method.BEARER:
        scheme, _, token = given.partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else ""
    if not _same(given, connection.secret):
        raise WrongSignature(WRONG)


def _verify_signature(connection: VoiceConnection, given: str, headers: Headers, body: bytes) -> None:
    """Hex, of "{timestamp}.{body}", or of the body alone where the connection has no header for the time."""
    stated = headers.get(connection.timestamp_header, "").strip() if connection.timestamp_header else ""
    signed = stated.encode("utf-8", "replace") + b"." + body if connection.timestamp_header else body
    expected = hmac.digest(connection.secret.encode(), signed, hashlib.sha256).hex()
    if not _same(given.lower().removeprefix("sha256="), expected):
        raise WrongSignature(WRONG)
    if connection.timestamp_header and not _is_fresh(stated):
        raise WrongSignature(STALE, code="webhook_stale")


def _is_fresh(stated: str) -> bool:
    """Seconds or milliseconds since 1970."""
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 15):
        return False
    moment = int(stated) / 1000 if int(stated) >= _MILLISECONDS else int(stated)
    return abs(time.time() - moment) <= TOLERANCE_S


def _same(given: str, expected: str) -> bool:
    """Digests are compared, so that not even the length is told."""
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, expected)]
    return hmac.compare_digest(*digests)


def message_in(body: bytes) -> dict[str, Any]:
    """The message of a report. Raises Refused in words for whoever set the sender up."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"The body is no UTF-8 (byte {error.start}).", code="webhook_not_utf8") from None
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused("The body is no JSON.", code="webhook_not_json") from None
    message = told.get("message") if isinstance(told, dict) else None
    if not isinstance(message, dict) or not type_of(message):
        raise Refused('The body is no report: {"message": {"type": …, "call": …}}.', code="webhook_not_a_report")
    return message


def type_of(message: dict[str, Any]) -> str:
    found = message.get("type")
    return found if isinstance(found, str) else ""


def call_id_of(message: dict[str, Any]) -> str:
    """As the voice service has it; "" where there is none, and a digest of one that is too long to be kept."""
    call = message.get("call")
    found = call.get("id") if isinstance(call, dict) else None
    return kept_call_id(found) if isinstance(found, str) else ""


def kept_call_id(call_id: str) -> str:
    is_kept = len(call_id) <= LONGEST_CALL and call_id.isprintable() and ":" not in call_id
    return call_id if is_kept else _digest(call_id.encode("utf-8", "replace"))


def event_id(connection_id: str, headers: Headers, body: bytes) -> str:
    """connection:type:call:payload, of which the time of sending is no part: sent again, a message is the same."""
    message = message_in(body)
    told = {name: value for name, value in message.items() if name != "timestamp"}
    payload = _digest(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
    kind = type_of(message)
    kind = kind if len(kind) <= LONGEST_TYPE and kind.isprintable() else _digest(kind.encode("utf-8", "replace"))
    return f"{UUID(connection_id)}:{kind}:{call_id_of(message)}:{payload}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
