"""What reading a file gives, a block at a time, ready to be stored. Free of Django: another process may make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..readers import Format, Reading, Rejected, Release, compile_releases, notice_of
from . import rows

LARGEST = 4 * 1024 * 1024  # bytes of releases: a block of large ones ends early


@dataclass(slots=True)
class Block:
    """Some records of a file, one after the other."""

    fetched: int = 0
    releases: list[rows.Arrived] = field(default_factory=list)
    # By key, what the block's releases say of the tender; not of those whose releases can't be merged.
    tenders: dict[str, rows.Mapped] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    error: str = ""  # what ended the reading

    def packed(self) -> tuple[Any, ...]:
        """In plain types, as `unpacked` takes them."""
        rejected = [(each.number, each.reason, each.offset, each.raw, each.is_end) for each in self.rejected]
        releases = [tuple(each) for each in self.releases]
        return self.fetched, releases, {k: tuple(v) for k, v in self.tenders.items()}, rejected, self.error


def unpacked(packed: tuple[Any, ...]) -> Block:
    fetched, releases, tenders, rejected, error = packed
    made = rows.Arrived._make
    return Block(
        fetched,
        [made(each) for each in releases],
        {key: rows.Mapped._make(each) for key, each in tenders.items()},
        [Rejected(*each) for each in rejected],
        error,
    )


def blocks_of(reading: Reading, *, size: int, country: str, maps: Callable[[], bool]) -> Iterator[Block]:
    """At most `size` records each. `maps`: asked before each block, whether tenders are to be made of the releases,
    which is in vain when most are known."""
    is_as_read = reading.format is Format.OCDS_LINES
    builder = _Builder(country, maps())
    for number, item in enumerate(reading.items, 1):
        if isinstance(item, Release):
            try:
                builder.add(rows.arrived(item, number), item.raw if is_as_read else None)
            except ValueError as error:
                builder.reject(Rejected(number, str(error)))
        else:
            builder.reject(item)
        if builder.block.fetched >= size or builder.bytes_in >= LARGEST:
            yield builder.finished()
            builder = _Builder(country, maps())
    if builder.block.fetched:
        yield builder.finished()


class _Builder:
    """A block that grows."""

    def __init__(self, country: str, is_mapping: bool) -> None:
        self.block = Block()
        self.bytes_in = 0
        self._country, self._is_mapping = country, is_mapping
        self._by_key: dict[str, list[rows.Arrived]] = {}

    def add(self, each: rows.Arrived, raw: dict[str, Any] | None) -> None:
        """`raw`: what each.text says, where it is at hand."""
        self.block.fetched += 1
        self.block.releases.append(each)
        self.bytes_in += len(each.line)
        if not self._is_mapping:
            return
        known = self._by_key.get(each.key)
        if known is None:
            self._by_key[each.key] = [each]
            self._map(each.key, [orjson.loads(each.text) if raw is None else raw])
        elif all(each.digest != other.digest for other in known):
            known.append(each)

    def reject(self, item: Rejected) -> None:
        self.block.fetched += 1
        self.block.rejected.append(item)
        if item.is_end:
            self.block.error = item.reason[:500]

    def finished(self) -> Block:
        for key, several in self._by_key.items():
            if len(several) > 1:
                self._map(key, [orjson.loads(each.text) for each in several])
        return self.block

    def _map(self, key: str, published: list[dict[str, Any]]) -> None:
        try:
            self.block.tenders[key] = mapped(published, key=key, country=self._country)
        except ValueError:  # whoever stores them finds it again, and what to do about it
            self.block.tenders.pop(key, None)


def mapped(published: Sequence[dict[str, Any]], *, key: str, country: str) -> rows.Mapped:
    """What these releases say of their tender. Raises ValueError when they contradict each other in shape."""
    notice = notice_of(published[0] if len(published) == 1 else compile_releases(published))
    return rows.mapped(notice, key=key, releases=len(published), country=country)
