"""Text as it is compared: one spelling for what people and publishers write differently.

Latin letters lose their marks, Arabic its vowel marks and its variants of alef, yeh and teh marbuta, all letters their
case. The same serves what is indexed and the words of a query.
"""

from __future__ import annotations

import unicodedata

_ARABIC = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي"}
_REMOVED = "ًٌٍَُِّْـ"  # Arabic vowel marks and the stretching stroke
_PLAIN = {"ß": "s", "ł": "l", "đ": "d", "ø": "o", "æ": "a", "œ": "o", "ı": "i"}


def _marked() -> dict[str, str]:
    found = {}
    for point in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        letter = chr(point).lower()
        plain = unicodedata.normalize("NFD", letter)[0]
        if len(letter) == 1 and plain != letter and plain.isascii():
            found[letter] = plain
    return found


_TRANSLATION = str.maketrans(_marked() | _PLAIN | _ARABIC | dict.fromkeys(_REMOVED, ""))


def folded(text: str) -> str:
    """In Python, not in SQL: PostgreSQL's translate() looks through the whole table for each letter."""
    text = text.lower()
    return text if text.isascii() else text.translate(_TRANSLATION)
