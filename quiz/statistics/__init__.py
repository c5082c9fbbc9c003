"""Classical item analysis: how well a question tells those who know from those who don't. Free of Django.

Figures describe what a number of people did, and flags are heuristics: each comes with its n, and under FEWEST people
nothing is said.
"""

from .exams import Form, Reliability, reliability_of
from .flags import FLAGS, Flag, drawn_to, flags_of
from .items import FEWEST, FEWEST_OTHERS, ItemFigures, Taking, analyse_item, group_size

__all__ = [
    "FEWEST",
    "FEWEST_OTHERS",
    "FLAGS",
    "Flag",
    "Form",
    "ItemFigures",
    "Reliability",
    "Taking",
    "analyse_item",
    "drawn_to",
    "flags_of",
    "group_size",
    "reliability_of",
]
