"""What the stand-in for Airtable holds: tables with fields and records, iterators over them, webhooks and their
payloads, and its patience with callers."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
CREATED = "2026-01-01T00:00:00.000Z"
EXPIRES = "2026-12-01T00:00:00.000Z"
RECORD_IDS = re.compile(r"RECORD_ID\(\)\s*=\s*'(rec\w+)'")


class ApiError(Exception):
    def __init__(self, status: int, body: Json) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


# The four shapes in which Airtable tells errors.
NO_TOKEN = ApiError(401, {"error": {"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}})
FORBIDDEN = ApiError(
    403,
    {
        "error": {
            "type": "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
            "message": "Invalid permissions, or the requested model was not found.",
        }
    },
)
NOT_FOUND = ApiError(404, {"error": "NOT_FOUND"})
ITERATOR_GONE = ApiError(422, {"error": {"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}})
BAD_FORMULA = ApiError(422, {"error": {"type": "INVALID_FILTER_BY_FORMULA", "message": "The formula is not known."}})
UNKNOWN_FIELD = ApiError(422, {"error": {"type": "UNKNOWN_FIELD_NAME", "message": "Unknown field name"}})
TOO_MANY = ApiError(429, {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded."}]})
NO_MORE_CALLS = ApiError(429, {"errors": [{"error": "PUBLIC_API_BILLING_LIMIT_EXCEEDED", "message": "Upgrade."}]})


@dataclass
class Table:
    """`fields` by id: {"id", "name", "type", "options"?}; `records` by id: cells by field id, in the table's order."""

    id: str
    name: str
    fields: dict[str, Json]
    records: dict[str, Json]


@dataclass
class Bucket:
    """`per_s` requests a second; one more, and everything is refused for `lockout_s`."""

    per_s: float = 5.0
    lockout_s: float = 30.0
    refused: int = 0
    _level: float = 5.0
    _at: float = field(default_factory=time.monotonic)
    _locked_until: float = 0.0

    def take(self) -> None:
        now = time.monotonic()
        self._level = min(self.per_s, self._level + (now - self._at) * self.per_s)
        self._at = now
        if now < self._locked_until:
            self.refused += 1
            raise TOO_MANY
        if self._level < 1:
            self.lock_out()
            raise TOO_MANY
        self._level -= 1

    def lock_out(self) -> None:
        self.refused += 1
        self._locked_until = time.monotonic() + self.lockout_s


@dataclass
class Airtable:
    """One base. `faults`, taken one by one by requests for records: "429", "billing", "502", "slow", "reset", "cut",
    "expire", "no_json"."""

    base_id: str = "appWELDING0000001"
    token: str = "patSTANDIN"
    tables: dict[str, Table] = field(default_factory=dict)
    bucket: Bucket = field(default_factory=Bucket)
    faults: deque[str] = field(default_factory=deque)
    slow_s: float = 5.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # attachments by name; an empty one is away for now
    port: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._iterators: dict[str, tuple[list[str], int]] = {}
        self._webhooks: dict[str, Json] = {}
        self._payloads: dict[str, list[Json]] = {}
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- what its people do ---

    def attach(self, name: str, content: bytes, media_type: str = "image/png") -> Json:
        """A file, as a cell holds it."""
        self.files[name] = content
        told = {"id": f"att{name.replace('.', '')}", "url": f"{self.url}/files/{quote(name)}", "filename": name}
        return told | {"type": media_type, "size": len(content)}

    def put(self, table: Table, record_id: str, **cells: Any) -> None:
        """Make a record, or change cells of one by field id; None empties a cell."""
        with self.lock:
            kind = "changedRecordsById" if record_id in table.records else "createdRecordsById"
            record = table.records.setdefault(record_id, {})
            for name, value in cells.items():
                record[name] = value
                if value is None:
                    del record[name]
            self._tell(table, {kind: {record_id: {}}})

    def remove(self, table: Table, *record_ids: str) -> None:
        with self.lock:
            for record_id in record_ids:
                del table.records[record_id]
            self._tell(table, {"destroyedRecordIds": list(record_ids)})

    def change_field(self, table: Table, field_id: str, **changes: Any) -> None:
        with self.lock:
            table.fields[field_id] |= changes
            self._tell(table, {"changedFieldsById": {field_id: {}}})

    def remove_field(self, table: Table, field_id: str) -> None:
        with self.lock:
            del table.fields[field_id]
            for record in table.records.values():
                record.pop(field_id, None)
            self._tell(table, {"destroyedFieldIds": [field_id]})

    def forget_webhooks(self) -> None:
        """As after a week in which nobody asked."""
        with self.lock:
            self._webhooks.clear()

    def _tell(self, table: Table, change: Json) -> None:
        for webhook_id, webhook in self._webhooks.items():
            if webhook["specification"]["options"]["filters"].get("recordChangeScope") in (None, table.id):
                payload = {"timestamp": CREATED, "payloadFormat": "v0", "changedTablesById": {table.id: change}}
                self._payloads[webhook_id].append(payload)

    # --- what it answers ---

    def records(self, table_id: str, asked: Json) -> Json:
        """A page. An offset is good until its scan has been lost ("expire")."""
        table = self._table(table_id)
        wanted = asked.get("fields")
        known = {name for each in table.fields.values() for name in (each["id"], each["name"])}
        if wanted and not set(wanted) <= known:
            raise UNKNOWN_FIELD
        ids, start = self._place(table, asked)
        size = min(int(asked.get("pageSize") or 100), 100)
        page = [self._record(table, each, asked) for each in ids[start : start + size] if each in table.records]
        answer: Json = {"records": page}
        if start + size < len(ids):
            answer["offset"] = f"itr{next(self._numbers)}/{ids[start + size]}"
            self._iterators[answer["offset"]] = (ids, start + size)
        return answer

    def lose_iterators(self) -> None:
        self._iterators.clear()

    def _place(self, table: Table, asked: Json) -> tuple[list[str], int]:
        if offset := asked.get("offset"):
            if offset not in self._iterators:
                raise ITERATOR_GONE
            return self._iterators[offset]
        formula = asked.get("filterByFormula")
        if not formula:
            return list(table.records), 0
        found = RECORD_IDS.findall(formula)
        if RECORD_IDS.sub("", formula).strip("OR(), "):
            raise BAD_FORMULA
        return [each for each in table.records if each in set(found)], 0

    def _record(self, table: Table, record_id: str, asked: Json) -> Json:
        by_id = asked.get("returnFieldsByFieldId") in (True, "1", "true")
        wanted = asked.get("fields")
        cells = {}
        for field_id, value in table.records[record_id].items():
            name = table.fields[field_id]["name"]
            if (not wanted or {field_id, name} & set(wanted)) and value not in (None, "", [], False):
                cells[field_id if by_id else name] = value
        return {"id": record_id, "createdTime": CREATED, "fields": cells}

    def schema(self) -> Json:
        tables = [{"id": t.id, "name": t.name, "fields": list(t.fields.values())} for t in self.tables.values()]
        return {"tables": [table | {"primaryFieldId": table["fields"][0]["id"], "views": []} for table in tables]}

    def make_webhook(self, asked: Json) -> Json:
        webhook_id = f"ach{next(self._numbers):014d}"
        self._webhooks[webhook_id] = {"id": webhook_id, "specification": asked["specification"]}
        self._payloads[webhook_id] = []
        return {"id": webhook_id, "macSecretBase64": "c2VjcmV0", "expirationTime": EXPIRES}

    def webhooks(self) -> Json:
        return {"webhooks": [self._webhook(each) for each in self._webhooks]}

    def _webhook(self, webhook_id: str) -> Json:
        cursor = len(self._payloads[webhook_id]) + 1
        more = {"isHookEnabled": True, "cursorForNextPayload": cursor, "expirationTime": EXPIRES}
        return self._webhooks[webhook_id] | more

    def payloads(self, webhook_id: str, cursor: int, limit: int = 50) -> Json:
        """Counted from 1, at most 50."""
        if webhook_id not in self._webhooks:
            raise NOT_FOUND
        there = self._payloads[webhook_id]
        some = there[cursor - 1 : cursor - 1 + min(limit, 50)]
        following = cursor + len(some)
        return {"payloads": some, "cursor": following, "mightHaveMore": following <= len(there)}

    def _table(self, table_id: str) -> Table:
        for table in self.tables.values():
            if table_id in (table.id, table.name):
                return table
        raise FORBIDDEN
