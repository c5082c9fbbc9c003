"""Signatures as Standard Webhooks 1.0 has them (https://www.standardwebhooks.com), both ways. Free of Django.

Signed is `id.timestamp.body` with HMAC-SHA256 under the key that follows "whsec_" in base64; the header holds one or
several "v1,<base64>", separated by blanks, so that a secret can be changed without losing a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
KEY_BYTES = 32
SHORTEST_KEY, LONGEST_KEY = 24, 64  # bytes; the specification's bounds
TOLERANCE_S = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class BadSecret(ValueError):
    """Not "whsec_" and the base64 of 24 to 64 bytes."""


class BadSignature(Exception):
    """`str()` says what is wrong, without a hint at what would be right."""


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key's bytes. Raises BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSecret("A secret is whsec_ and base64.") from error
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise BadSecret(f"A secret holds {SHORTEST_KEY} to {LONGEST_KEY} bytes, this one {len(key)}.")
    return key


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """ "v1,…" of one message; timestamp in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def headers_of(valid: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers, signed with each of the secrets that are valid."""
    signatures = [sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in valid]
    return {ID: message_id, TIMESTAMP: str(timestamp), SIGNATURE: " ".join(signatures)}


def verify(valid: Sequence[str], *, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raise BadSignature unless one of the signatures is by one of the valid secrets, and was made within five minutes
    of `now` (seconds since 1970). `headers` by lower-case name. Compares in constant time."""
    message_id, stated, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (message_id and stated and given):
        raise BadSignature(f"The headers {ID}, {TIMESTAMP} and {SIGNATURE} are needed.")
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 12):
        raise BadSignature(f"{TIMESTAMP} must be in seconds since 1970.")
    if abs(now - int(stated)) > TOLERANCE_S:
        raise BadSignature("The message is too old, or from the future. Check the clocks.")
    expected = [sign(secret, message_id=message_id, timestamp=int(stated), body=body).encode() for secret in valid]
    matches = [hmac.compare_digest(each.encode(), right) for each in given.split(" ")[:10] for right in expected]
    if not any(matches):
        raise BadSignature("The signature does not match.")
