"""Airtable's web API, as far as banks need it: https://airtable.com/developers/web/api.

Its own rules are kept here: the pace, its lock-outs, iterators that expire, answers that are no JSON. What is asked is
safe to ask again, except for making a webhook.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any

import httpx
import orjson
from django.conf import settings

from .exceptions import AirtableAway, AirtableRefused
from .pacing import Pace

PAGE = 100  # what Airtable gives at most
ATTEMPTS = 5
LOCKOUTS = 5  # before the job is to try again later
RESTARTS = 3  # of a scan whose iterator expired
LARGEST = 64 * 1024 * 1024
MOST_PAYLOAD_PAGES = 200
AGENT = "Plumbline/1"
BILLING = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
ITERATOR = "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"
WORDS = {
    401: "Airtable does not accept the token (AIRTABLE_TOKEN). Make a new one, or mend the setting.",
    403: "Airtable's token may not read this base or table, or there is none such. Give the token access to it.",
    404: "Airtable knows no such base or table. Mend the bank's base and table.",
}

Tick = Callable[[str], None]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """`fields` by field id; empty cells are left out, an unticked checkbox too."""

    id: str
    fields: Json


@dataclass(frozen=True, slots=True)
class Field:
    id: str
    name: str
    type: str
    options: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    cursor: int
    expires_at: str


@dataclass(slots=True)
class Changes:
    """What a webhook's payloads say of one table. `cursor`: where the next ones begin. `is_partial`: some of it could
    not be told, only a full scan can."""

    cursor: int
    changed: set[str] = field(default_factory=set)
    destroyed: set[str] = field(default_factory=set)
    has_new_fields: bool = False
    is_partial: bool = False


class _IteratorGone(Exception):
    pass


class _Again(Exception):
    """Nothing that could be used; why, in words."""


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Reading the certificates takes a twentieth of a second: once a process."""
    return httpx.create_ssl_context(trust_env=False)


class Client:
    """Of one base. Raises AirtableRefused, AirtableAway; LimitBusy (Temporary); and what `tick` raises."""

    def __init__(self, base_id: str, *, tick: Tick = lambda message: None) -> None:
        if not settings.AIRTABLE_TOKEN:
            raise AirtableRefused("There is no token for Airtable: set AIRTABLE_TOKEN.", code="airtable_no_token")
        self.requests = 0
        self._base_id, self._tick = base_id, tick
        self._pace = Pace(base_id, tick)
        timeout = httpx.Timeout(settings.AIRTABLE_TIMEOUT_S, connect=min(5.0, settings.AIRTABLE_TIMEOUT_S))
        self._http = httpx.Client(
            base_url=settings.AIRTABLE_URL.rstrip("/"),
            headers={"Authorization": f"Bearer {settings.AIRTABLE_TOKEN}", "User-Agent": AGENT},
            timeout=timeout,
            trust_env=False,
            verify=_trusted(),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    # --- what is asked ---

    def fields(self, table_id: str) -> dict[str, Field]:
        """The table's fields by id."""
        for table in _listed(self._ask("GET", f"/v0/meta/bases/{self._base_id}/tables"), "tables"):
            if table.get("id") == table_id:
                found = (_field(each) for each in _listed(table, "fields"))
                return {each.id: each for each in found}
        raise AirtableRefused(WORDS[404])

    def scan(
        self, table_id: str, field_ids: Sequence[str], told: Callable[[int, list[Record]], None]
    ) -> dict[str, Record]:
        """Every record of the table by id, or an error: never a part. `told(records so far, the last of them)` after
        each page; after it has begun anew again for those that were told before."""
        for _ in range(RESTARTS + 1):
            found: dict[str, Record] = {}
            try:
                for page in self._pages(table_id, {"fields": list(field_ids)}):
                    found |= {record.id: record for record in page}
                    told(len(found), page)
                return found
            except _IteratorGone:
                self._tick("Airtable has lost its place in the table; reading from the start")
        raise AirtableAway(f"Airtable lost its place in the table {RESTARTS + 1} times. It is tried again later.")

    def records(self, table_id: str, record_ids: Sequence[str], field_ids: Sequence[str]) -> dict[str, Record]:
        """Those of them that there are, by id."""
        found: dict[str, Record] = {}
        for at in range(0, len(record_ids), PAGE):
            some = ", ".join(f"RECORD_ID()='{each}'" for each in record_ids[at : at + PAGE])
            asked = {"fields": list(field_ids), "filterByFormula": f"OR({some})"}
            found |= {record.id: record for page in self._pages(table_id, asked) for record in page}
        return found

    def webhook(self, webhook_id: str) -> Webhook | None:
        """None: it has expired, or never was."""
        for each in _listed(self._ask("GET", f"/v0/bases/{self._base_id}/webhooks"), "webhooks"):
            if each.get("id") == webhook_id and each.get("isHookEnabled", True):
                cursor = each.get("cursorForNextPayload")
                return Webhook(
                    webhook_id, cursor if isinstance(cursor, int) else 1, str(each.get("expirationTime", ""))
                )
        return None

    def make_webhook(self, table_id: str) -> Webhook:
        """One whose payloads are pulled: nothing is sent to us."""
        filters = {"dataTypes": ["tableData", "tableFields"], "recordChangeScope": table_id}
        asked = {"specification": {"options": {"filters": filters}}}
        made = self._ask("POST", f"/v0/bases/{self._base_id}/webhooks", asked, is_safe=False)
        return Webhook(str(made.get("id", "")), 1, str(made.get("expirationTime", "")))

    def changes(self, table_id: str, webhook_id: str, cursor: int) -> Changes:
        """What has changed since; asking keeps the webhook alive for another week."""
        found = Changes(cursor)
        for _ in range(MOST_PAYLOAD_PAGES):
            address = f"/v0/bases/{self._base_id}/webhooks/{webhook_id}/payloads?cursor={found.cursor}"
            answer = self._ask("GET", address)
            for payload in _listed(answer, "payloads"):
                _take_payload(found, payload, table_id)
            following = answer.get("cursor")
            found.cursor = following if isinstance(following, int) else found.cursor
            if not answer.get("mightHaveMore"):
                return found
        found.is_partial = True
        return found

    # --- how ---

    def _pages(self, table_id: str, asked: Json) -> Iterator[list[Record]]:
        offset: str | None = None
        while True:
            body = asked | {"pageSize": PAGE, "returnFieldsByFieldId": True} | ({"offset": offset} if offset else {})
            answer = self._ask("POST", f"/v0/{self._base_id}/{table_id}/listRecords", body)
            yield [_record(each) for each in _listed(answer, "records")]
            offset = answer.get("offset")
            if not offset:
                return

    def _ask(self, method: str, path: str, body: Json | None = None, *, is_safe: bool = True) -> Json:
        attempts = lockouts = 0
        while True:
            try:
                status, answer = self._exchange(method, path, body)
            except _Again as error:
                attempts += 1
                if attempts >= ATTEMPTS or not is_safe:
                    raise AirtableAway(f"Airtable can't be read now: {error} It is tried again later.") from error
                self._pace.backed_off(attempts)
                continue
            if status < 300:
                return answer
            kind, message = _error_of(answer)
            if status == 429 and kind != BILLING:
                lockouts += 1
                if lockouts > LOCKOUTS:
                    wait_s = settings.AIRTABLE_LOCKOUT_S
                    raise AirtableAway("Airtable gets too many requests for this base.", retry_after_s=wait_s)
                self._pace.locked_out()
                continue
            if kind == ITERATOR:
                raise _IteratorGone
            raise _refusal(status, kind, message)

    def _exchange(self, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """Status and answer. Raises _Again for what is worth another attempt."""
        self._pace.wait_for_turn(timeout_s=4 * settings.AIRTABLE_LOCKOUT_S)
        content = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} if content else {}
        until = time.monotonic() + 2 * settings.AIRTABLE_TIMEOUT_S
        self.requests += 1
        try:
            with (
                self._pace.places.hold(timeout_s=4 * settings.AIRTABLE_LOCKOUT_S),
                self._http.stream(method, path, content=content, headers=headers) as said,
            ):
                text = bytearray()
                for piece in said.iter_bytes():
                    text += piece
                    if time.monotonic() > until:  # each byte in time, and never an end of them
                        raise _Again("its answer took too long.")
                    if len(text) > LARGEST:
                        raise AirtableRefused("Airtable's answer is larger than a page of records can be.")
        except httpx.TimeoutException:
            raise _Again("it did not answer in time.") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _Again(f"the connection failed ({type(error).__name__}).") from error
        return said.status_code, _json(said.status_code, bytes(text))


def _json(status: int, text: bytes) -> Json:
    if status >= 500:
        raise _Again(f"it answered {status}.")
    try:
        answer = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if status < 300:
        raise _Again("its answer is no JSON.")
    return {}


def _error_of(answer: Json) -> tuple[str, str]:
    """(type, message) of the four shapes in which Airtable says what is wrong."""
    error = answer.get("error")
    if error is None and isinstance(answer.get("errors"), list) and answer["errors"]:
        error = answer["errors"][0]
    if isinstance(error, str):
        return error, ""
    if isinstance(error, dict):
        return str(error.get("type") or error.get("error") or ""), str(error.get("message") or "")
    return "", ""


def _refusal(status: int, kind: str, message: str) -> AirtableRefused:
    if kind == BILLING:
        return AirtableRefused("This month's API calls of the Airtable plan are used up: raise the plan, or wait.")
    words = WORDS.get(status) or f"Airtable refused the request ({status})."
    return AirtableRefused(" ".join(part for part in (words, f"It says: {kind} {message}".strip()) if part)[:400])


def _listed(answer: Json, name: str) -> list[Json]:
    found = answer.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise AirtableAway(f"Airtable's answer has no {name}. It is tried again later.")
    return found


def _record(each: Json) -> Record:
    fields = each.get("fields")
    if not isinstance(each.get("id"), str) or not isinstance(fields, dict):
        raise AirtableAway("A record in Airtable's answer has no id or no fields. It is tried again later.")
    return Record(each["id"], fields)


def _field(each: Json) -> Field:
    options = each.get("options")
    return Field(
        str(each.get("id")), str(each.get("name")), str(each.get("type")), options if isinstance(options, dict) else {}
    )


def _take_payload(found: Changes, payload: Json, table_id: str) -> None:
    if payload.get("error"):
        found.is_partial = True
        return
    if table_id in (payload.get("destroyedTableIds") or ()):
        found.is_partial = True
    tables = payload.get("changedTablesById")
    table = tables.get(table_id) if isinstance(tables, dict) else None
    if not isinstance(table, dict):
        return
    destroyed = set(table.get("destroyedRecordIds") or ())
    came = {*(table.get("createdRecordsById") or {}), *(table.get("changedRecordsById") or {})}
    found.destroyed = (found.destroyed - came) | destroyed
    found.changed = (found.changed | came) - destroyed
    names = ("changedFieldsById", "createdFieldsById", "destroyedFieldIds")
    found.has_new_fields = found.has_new_fields or any(table.get(name) for name in names)
