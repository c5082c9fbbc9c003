"""What looks odd about a question. Every flag is a heuristic: it says where to look, not what is wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .items import LOWER, UPPER, ItemFigures, group_size

EASY, HARD = 0.95, 0.20
WEAK = 0.10  # Ebel: below 0.19 a question is to be rejected or rewritten; our n is small, so only the clear ones
DRAWN = 0.10  # of a group: by so much more of the upper than of the lower a wrong choice must be taken


@dataclass(frozen=True, slots=True)
class Flag:
    """In a word, and what it rests on."""

    code: str
    word: str
    means: str


WRONG_KEY = Flag(
    "wrong_key",
    "Wrong key?",
    "Those who do well elsewhere fare worse here, or take a wrong choice more often than those who do not do well.",
)
TOO_EASY = Flag("too_easy", "Too easy", f"At least {EASY:.0%} of the marks are earned: it tells nobody apart.")
TOO_HARD = Flag("too_hard", "Too hard", f"At most {HARD:.0%} of the marks are earned.")
WEAKLY = Flag("weak", "Tells little", f"Discrimination from 0 to {WEAK}: it hardly tells who knows from who does not.")
IDLE = Flag("idle_choice", "Idle choice", "A wrong choice that nobody took: it distracts nobody.")
FLAGS = {each.code: each for each in (WRONG_KEY, TOO_EASY, TOO_HARD, WEAKLY, IDLE)}


def flags_of(figures: ItemFigures, *, right: Collection[str]) -> list[str]:
    """Codes of FLAGS, the gravest first; `right` are the choices that earn something. Figures that are not told raise
    no flag."""
    found = []
    if _has_wrong_key(figures, right):
        found.append(WRONG_KEY.code)
    if figures.facility is not None:
        found += [TOO_EASY.code] if figures.facility >= EASY else [TOO_HARD.code] if figures.facility <= HARD else []
    is_easy = TOO_EASY.code in found  # then it can't tell much, and nobody needs its distractors
    if figures.discrimination is not None and 0 <= figures.discrimination < WEAK and not is_easy:
        found.append(WEAKLY.code)
    if not is_easy and any(not sum(takers) for one, takers in figures.distractors.items() if one not in right):
        found.append(IDLE.code)
    return found


def drawn_to(takers: list[int], ranked: int) -> bool:
    """Whether clearly more of the upper group than of the lower took it: by a tenth of a group, and by two people."""
    return takers[UPPER] - takers[LOWER] >= max(2.0, DRAWN * group_size(ranked))


def _has_wrong_key(figures: ItemFigures, right: Collection[str]) -> bool:
    if figures.discrimination is not None and figures.discrimination < 0:
        return True
    wrong = (takers for one, takers in figures.distractors.items() if one not in right)
    return any(drawn_to(takers, figures.ranked) for takers in wrong)
