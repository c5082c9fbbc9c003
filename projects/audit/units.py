"""Units of measure as bills write them: a vocabulary (Czech, German, English, Spanish), normalising, suggestions."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

# canonical unit -> the ways bills write it (lower case, after `_clean`)
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "m": ("m", "bm", "mb", "lfm", "lfdm", "lm", "ml", "metr", "meter", "m1"),
    "m2": ("m2", "qm", "sqm", "m^2"),
    "m3": ("m3", "cbm", "cum", "m^3"),
    "mm": ("mm",),
    "cm": ("cm",),
    "dm": ("dm",),
    "km": ("km",),
    "cm2": ("cm2",),
    "dm2": ("dm2",),
    "ha": ("ha",),
    "a": ("ar", "a"),
    "cm3": ("cm3",),
    "dm3": ("dm3",),
    "l": ("l", "lt", "ltr", "litr", "liter", "litre"),
    "hl": ("hl",),
    "g": ("g",),
    "kg": ("kg",),
    "t": ("t", "to", "tuna", "tona", "tonne"),
    "ks": (
        "ks",
        "kus",
        "kusy",
        "st",
        "stk",
        "stck",
        "stück",
        "stueck",
        "ud",
        "u",
        "pcs",
        "pc",
        "ea",
        "nr",
        "no",
        "pce",
    ),
    "pár": ("pár", "par", "paar", "pair"),
    "sada": ("sada", "set", "satz", "garn", "garnitura"),
    "soubor": ("soubor", "soub", "soupr", "souprava"),
    "kpl": ("kpl", "kpl.", "komplet", "kompl", "cpl"),
    "psch": ("psch", "pausch", "pauschal", "pauschale", "paušál", "paus", "ls", "lsum", "pa", "lump sum", "gl", "glob"),
    "h": ("h", "hod", "hodina", "std", "stunde", "hr", "hzs", "nh"),
    "min": ("min",),
    "den": ("den", "dny", "d", "tag", "day"),
    "týden": ("týden", "tyden", "wo", "woche", "week"),
    "měsíc": ("měsíc", "mesic", "měs", "mt", "mon", "monat", "month", "mnth"),
    "rok": ("rok", "jahr", "ja", "year"),
    "%": ("%", "proc", "procent", "prozent", "percent"),
    "kč": ("kč", "kc", "czk", "eur", "€"),
    "kw": ("kw",),
    "kwh": ("kwh",),
    "w": ("w",),
    "mj": ("mj",),
    "bod": ("bod", "body", "points"),
    "mj.": ("m.j", "jedn", "me", "einheit"),
    "hm": ("hm",),
    "tkm": ("tkm",),
    "m3km": ("m3km", "m3*km"),
    "m2měs": ("m2měs", "m2mt", "m2mon", "m2*měs", "m2.měs"),
    "m2týd": ("m2wo", "m2týd", "m2woche"),
    "m2den": ("m2den", "m2d", "m2tag", "m2*den"),
    "mden": ("mden", "md", "m*den"),
    "mměs": ("mmt", "mměs", "mmon"),
    "mtýd": ("mwo", "mwoche"),
    "ksden": ("ksden", "std.", "stkd", "std/stk", "std/st", "stktg"),
    "kstýd": ("stwo", "stkwo", "stckwo"),
    "ksměs": ("stmt", "stkmt", "stckmt", "stmon", "stckmon"),
    "m3den": ("m3den", "m3d"),
    "role": ("role", "rolle", "roll"),
    "bal": ("bal", "balení", "pack", "pkg"),
    "pytel": ("pytel", "sack", "bag"),
    "osoba": ("osoba", "osob", "person"),
    "místo": ("místo", "vývod", "výv"),
    "okruh": ("okruh", "okr"),
    "list": ("list", "blatt"),
    "zkouška": ("zkouška", "zk"),
    "případ": ("případ", "pol", "položka"),
    "kmpl": ("kmpl",),
    "100 ks": ("100 ks", "100ks", "sto kus", "100 kus"),
    "1000 ks": ("1000 ks", "1000ks", "tks", "tis kus", "tis ks"),
    "100 m": ("100 m", "100m"),
    "100 m2": ("100 m2", "100m2"),
    "100 kg": ("100 kg", "100kg", "dt", "q"),
}
_CANONICAL = {spelling: canonical for canonical, spellings in _SPELLINGS.items() for spelling in spellings}
_COMMON = ("m2", "m3", "m", "kus", "ks", "t", "kg", "soubor", "kpl", "hod", "km", "stk", "psch")
_KNOWN = (*_COMMON, *(spelling for spelling in _CANONICAL if spelling not in _COMMON))

LUMP_SUMS = frozenset({"kpl", "kmpl", "soubor", "psch", "sada"})
COUNTS = frozenset({"ks", "pár", "sada", "soubor", "kpl", "kmpl", "psch", "100 ks", "1000 ks"})
TO_TONNES = {"t": "1", "kg": "0.001", "g": "0.000001", "100 kg": "0.1"}


def _clean(unit: str) -> str:
    text = unit.strip().lower().replace("²", "2").replace("³", "3").replace("\xa0", " ")
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def normalise(unit: str | None) -> str | None:
    """The canonical unit ("m²" and "M2" give "m2"; "kus", "Stk." give "ks"), or None where it is not known."""
    if unit is None:
        return None
    text = _clean(unit)
    found = _CANONICAL.get(text)
    if found is None and text.endswith("."):
        found = _CANONICAL.get(text.rstrip("."))
    return found


def is_percent(unit: str | None) -> bool:
    return normalise(unit) == "%"


@lru_cache(maxsize=1024)
def nearest(unit: str, max_edits: int) -> str | None:
    """The spelling fewest edits away from an unknown unit, common units first: "us" and "lus" give "kus".

    None where it takes more than `max_edits`; a unit of up to four letters is given one edit only.
    """
    text = _clean(unit)
    allowed = 1 if len(text) <= 4 else max_edits
    match = process.extractOne(text, _KNOWN, scorer=Levenshtein.distance, score_cutoff=allowed)
    return None if match is None else match[0]
