"""Reading published notices: any of the formats in, one shape out. Free of Django, and never a whole file in memory.

`read(stream)` yields a `Release` for each release, record or row, and a `Rejected` for each that can't be read; it
raises nothing for what a publisher may have written. `compile_releases` makes one compiled release of all that were
published of a tender, `notice_of` reads the fields that people search for.
"""

from .compiling import compile_releases
from .notice import Document, Format, Lot, Notice, Reading, Rejected, Release
from .reading import read
from .releases import notice_of

__all__ = [
    "Document",
    "Format",
    "Lot",
    "Notice",
    "Reading",
    "Rejected",
    "Release",
    "compile_releases",
    "notice_of",
    "read",
]
