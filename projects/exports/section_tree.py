"""Objects and sections as a tree in the order in which they first occur, each with the positions written for it.

Positions of one section need not stand together in a budget (some were added later); formats want them so. They go to
a file on disk as they are written, the tree keeps only where: sixteen bytes a position.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import IO


@dataclass(slots=True)
class Node:
    """An object or a section. `total` is of all that counts below."""

    label: str
    name: str = ""
    total: Decimal = Decimal(0)
    children: dict[str, Node] = field(default_factory=dict)
    places: array[int] = field(default_factory=lambda: array("Q"))  # offset, length, offset, length, …
    part: str = ""  # its number among its siblings, where a format numbers them

    @property
    def count(self) -> int:
        return len(self.places) // 2


class SectionTree:
    """Use it in a `with`: the file goes with it."""

    def __init__(self) -> None:
        self.root = Node("")
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="sections-")  # noqa: SIM115 - closed by __exit__
        self._size = 0

    def __enter__(self) -> SectionTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def node(self, path: Iterable[str]) -> Node:
        """The node of a path, made where there is none."""
        node = self.root
        for label in path:
            known = node.children.get(label)
            if known is None:
                known = node.children[label] = Node(label)
            node = known
        return node

    def put(self, path: tuple[str, ...], text: str, total: Decimal) -> Node:
        """A position's text, below `path`; `total` is 0 for one that does not count."""
        node = self.node(path)
        content = text.encode("utf-8", "surrogatepass")
        self._file.write(content)
        node.places.extend((self._size, len(content)))
        self._size += len(content)
        self._add(path, total)
        return node

    def _add(self, path: tuple[str, ...], total: Decimal) -> None:
        node = self.root
        node.total += total
        for label in path:
            node = node.children[label]
            node.total += total

    def texts(self, node: Node) -> Iterator[str]:
        for at in range(0, len(node.places), 2):
            self._file.seek(node.places[at])
            yield self._file.read(node.places[at + 1]).decode("utf-8", "surrogatepass")
