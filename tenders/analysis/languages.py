"""The language of a notice that does not say it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

SHORTEST = 25  # letters: below that a guess is worth nothing
_READ = 2000


def language_of(text: str) -> str:
    """ISO 639-1; "" for texts too short to tell."""
    if sum(map(str.isalpha, text[:_READ])) < SHORTEST:
        return ""
    code, _ = _identifier().classify(text[:_READ])
    return str(code)[:2]


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Loaded when first asked for: the model is unpacked and takes a while and some megabytes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_pickled_model(MODEL_FILE)
