"""Long lists of numbers and ids to PostgreSQL: psycopg looks at each element for what to escape, which took longer than
the statements themselves (2026-11)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

INT8, INT8_ARRAY = 20, 1016  # types of PostgreSQL
_HEADER = struct.Struct(">iiiii")  # dimensions, flags, type, length, number of the first
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i8")])


@contextmanager
def raw_cursor() -> Iterator[Any]:
    """Of psycopg itself, within Django's transaction: lists go over in binary, not written into the statement. Errors
    are Django's, as those of its own cursors: whoever waits for a database that is away knows it by them."""
    connection.ensure_connection()
    raw: Any = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        yield cursor


def literal(values: Iterable[object]) -> str:
    """PostgreSQL's notation of an array of ids or numbers."""
    return "{" + ",".join(map(str, values)) + "}"


class BigInts:
    """A bigint[] as it goes over the line."""

    def __init__(self, values: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self.values = values

    def encoded(self) -> bytes:
        elements = np.empty(len(self.values), _ELEMENT)
        elements["size"] = 8
        elements["value"] = self.values
        return _HEADER.pack(1, 0, INT8, len(self.values), 1) + elements.tobytes()


class _BigIntsDumper(Dumper):
    format = Format.BINARY
    oid = INT8_ARRAY

    def dump(self, obj: BigInts) -> bytes:
        return obj.encoded()


psycopg.adapters.register_dumper(BigInts, _BigIntsDumper)
