"""The language of a notice that does not say it."""

from __future__ import annotations

SHORTEST = 25  # letters: below that a guess is worth nothing
_READ = 2000


def language_of(text: str) -> str:
    """ISO 639-1; "" for texts too short to tell."""
    if sum(map(str.isalpha, text[:_READ])) < SHORTEST:
        return ""
    # Imported when first needed: it brings numpy along, and its model is unpacked at the first question.
    from py3langid.langid import classify

    code, _ = classify(text[:_READ])
    return str(code)[:2]
