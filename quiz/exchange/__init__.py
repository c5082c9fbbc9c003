"""Questions and clauses in and out of files: many formats, one shape. Free of Django.

`read(stream)` tells the format from the content and yields an `Item` for each question and a `Rejected` for each that
can't be read; `write(items, format, stream)` returns what the file can't say. `content_hash` is the same for the same
question. `read_clauses`, `compare_clauses` and `compare_items` are for editions.
"""

from .clauses import Clause, read_clauses
from .comparing import Changed, Comparison, Gone, Successor, compare_clauses, compare_items
from .content import NotReadable
from .hashing import content_hash
from .item import Accepted, Choice, Item, Kind, Loss, Markup, Pair, Range, Rejected
from .json_items import json_of
from .reading import Format, Reading, read
from .writing import PICTURED, WRITTEN, write

__all__ = [
    "PICTURED",
    "WRITTEN",
    "Accepted",
    "Changed",
    "Choice",
    "Clause",
    "Comparison",
    "Format",
    "Gone",
    "Item",
    "Kind",
    "Loss",
    "Markup",
    "NotReadable",
    "Pair",
    "Range",
    "Reading",
    "Rejected",
    "Successor",
    "compare_clauses",
    "compare_items",
    "content_hash",
    "json_of",
    "read",
    "read_clauses",
    "write",
]
