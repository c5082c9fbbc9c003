"""Signatures against the example that Standard Webhooks publishes, and what a verifier must not accept."""

from __future__ import annotations

import base64

import pytest

from jobs.webhooks import signing
from jobs.webhooks.signing import BadSecret, BadSignature

# The specification's example: any library for Standard Webhooks has it among its tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**changed: str) -> dict[str, str]:
    named = {"webhook-id": ID, "webhook-timestamp": str(TIMESTAMP), "webhook-signature": SIGNATURE}
    return named | {name.replace("_", "-"): value for name, value in changed.items()}


def verify(given: dict[str, str], *, body: bytes = BODY, now: float = TIMESTAMP, secrets: tuple[str, ...] = (SECRET,)):
    signing.verify(secrets, headers=given, body=body, now=now)


def test_published_example_is_signed_as_published() -> None:
    assert signing.sign(SECRET, message_id=ID, timestamp=TIMESTAMP, body=BODY) == SIGNATURE
    assert signing.headers_of([SECRET], message_id=ID, timestamp=TIMESTAMP, body=BODY) == headers()
    verify(headers())


def test_prefix_of_the_secret_is_optional() -> None:
    bare = SECRET.removeprefix("whsec_")
    assert signing.sign(bare, message_id=ID, timestamp=TIMESTAMP, body=BODY) == SIGNATURE


def test_one_matching_signature_among_several_is_enough() -> None:
    other = signing.new_secret()
    both = signing.headers_of([other, SECRET], message_id=ID, timestamp=TIMESTAMP, body=BODY)
    assert both["webhook-signature"].split(" ")[1] == SIGNATURE
    verify(both)
    verify(both, secrets=(signing.new_secret(), other))
    verify(headers(webhook_signature=f"v1a,unknown v2,thing {SIGNATURE}"))


@pytest.mark.parametrize(
    "given",
    [
        headers(webhook_id="msg_other"),
        headers(webhook_timestamp=str(TIMESTAMP + 1)),
        headers(webhook_timestamp="soon"),
        headers(webhook_timestamp="-1"),
        headers(webhook_timestamp="١٦١٤٢٦٥٣٣٠"),
        headers(webhook_timestamp="9" * 400),
        headers(webhook_signature=""),
        headers(webhook_signature=SIGNATURE.removeprefix("v1,")),
        headers(webhook_signature=SIGNATURE.replace("v1,", "v2,")),
        headers(webhook_signature="v1,"),
        headers(webhook_signature="ž"),
        headers(webhook_id=""),
        {},
    ],
)
def test_changed_or_missing_headers_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        verify(given)


def test_changed_body_and_other_secret_are_refused() -> None:
    with pytest.raises(BadSignature, match="does not match"):
        verify(headers(), body=BODY + b" ")
    with pytest.raises(BadSignature, match="does not match"):
        verify(headers(), secrets=(signing.new_secret(),))


@pytest.mark.parametrize(("off_by", "is_accepted"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_messages_are_accepted_for_five_minutes_either_way(off_by: int, is_accepted: bool) -> None:
    if is_accepted:
        verify(headers(), now=TIMESTAMP + off_by)
        return
    with pytest.raises(BadSignature, match="too old, or from the future"):
        verify(headers(), now=TIMESTAMP + off_by)


def test_new_secrets_are_proper_and_differ() -> None:
    secrets = {signing.new_secret() for _ in range(10)}
    assert len(secrets) == 10
    assert all(secret.startswith("whsec_") and len(signing.key_of(secret)) == 32 for secret in secrets)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_not base64!", *("whsec_" + base64.b64encode(b"x" * size).decode() for size in (23, 65))],
)
def test_improper_secrets_are_refused(secret: str) -> None:
    with pytest.raises(BadSecret):
        signing.key_of(secret)


@pytest.mark.parametrize("size", [24, 64])
def test_secrets_may_have_24_to_64_bytes(size: int) -> None:
    assert len(signing.key_of("whsec_" + base64.b64encode(b"x" * size).decode())) == size
