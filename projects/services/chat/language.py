"""How people write to the chat, in Czech, German and English: which language it is, figures, words without endings."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from analytics.search.folding import folded

LANGUAGES = ("cs", "de", "en")
_CUES = {
    "cs": """nastav zmen zmenilo kolik polozka polozky polozek polozku polozce cena cenu ceny oddil oddilu dil dilu na
    celkem co se verzi verze nalezy cervene ktere jake je jsou smaz zvys sniz nejdrazsi mnozstvi bez soucet jaky jaka
    proc odstran pocet kod kodem jak ma stoji rozpocet rozpoctu ktera ve""",
    "de": """setze preis preise preisen abschnitt auf um der die das den wie viele positionen teuersten rote roten
    befunde was hat sich geandert losche erhohe senke menge summe gesamt gesamtsumme ohne welche welcher mit kostet ist
    warum andere von sind entferne anzahl dokumente""",
    "en": """the what which how many set change price of to section raise lower delete positions red findings changed
    total sum by most expensive why is are without code documents""",
}
CUES = {language: frozenset(words.split()) for language, words in _CUES.items()}
_CZECH, _GERMAN = re.compile("[ěščřžýůťďň]"), re.compile("[äöüß]")
_SPACE = "\u00a0\u202f "
FIGURE = rf"[-\u2212]?(?:\d{{1,3}}(?:[{_SPACE}]\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)(?!\w)"
_SHORTEST_ROOT = 4
# The letters that people leave the marks of: for patterns, in PostgreSQL too.
_MARKED = {
    "a": "aáäâà", "c": "cčç", "d": "dď", "e": "eéěèêë", "i": "iíî", "l": "lĺľł", "n": "nňñ", "o": "oóöôő", "r": "rřŕ",
    "s": "sšśß", "t": "tť", "u": "uúůüű", "y": "yý", "z": "zžźż",
}  # fmt: skip
# What questions are made of, beside the stopwords of search: folded.
ASKING = frozenset(
    """kolik jaky jaka jake jaci kdo kde kdy proc prosim mi me nam muzes rekni ukaz vypis najdi jsem byl byla bylo ma
    maji mame ten ta to tento tato tady zde vsechny vsech cely cele tedy nebo ci a i o u v s k pro podle mezi jeste take
    welche welcher welches wieviel wo wann warum bitte mir uns zeige zeig nenne liste gibt es hat haben sind alle ganze
    dieser diese dieses hier noch auch um am im aus auf bei nach ueber uber
    tell show list give find please me us there any all whole here this that these those much many say says said
    about mean means does project projekt projektu projekte budget rozpocet rozpoctu""".split()  # noqa: SIM905
)


def language_of(text: str) -> str:
    """cs, de or en, by the words that give a language away; en where none does."""
    words = re.findall(r"[^\W\d_]+", folded(text))
    scores = {language: sum(word in cues for word in words) for language, cues in CUES.items()}
    scores["cs"] += 2 * bool(_CZECH.search(text.lower()))
    scores["de"] += 2 * bool(_GERMAN.search(text.lower()))
    best = max(scores.values())
    if not best or scores["en"] == best:
        return "en"
    return "cs" if scores["cs"] >= scores["de"] else "de"


def figure_of(text: str, language: str) -> Decimal | None:
    """1 250,50 · 1.250,50 · 1,250.50 · 350. A single dot or comma before exactly three digits groups thousands where
    the language writes it so (comma in English; dot in German and Czech). None: no number."""
    plain = text.strip().replace("\u2212", "-")
    for space in _SPACE:
        plain = plain.replace(space, "")
    dots, commas = plain.count("."), plain.count(",")
    if dots and commas:
        decimal = "." if plain.rfind(".") > plain.rfind(",") else ","
    elif dots + commas > 1:
        decimal = ""
    elif dots or commas:
        mark = "." if dots else ","
        is_grouping = len(plain.partition(mark)[2]) == 3 and (mark == ",") == (language == "en")
        decimal = "" if is_grouping else mark
    else:
        decimal = ""
    for mark in ".,":
        plain = plain.replace(mark, "." if mark == decimal else "")
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def root_of(word: str) -> str:
    """Of a folded word: without what Czech and German put at its end; at least four letters stay."""
    if not word.isalpha() or len(word) <= _SHORTEST_ROOT:
        return word
    return word[: max(_SHORTEST_ROOT, len(word) - (2 if len(word) < 9 else 3))]


def roots_of(text: str) -> list[str]:
    """Of the words that say what is asked for, each once, in order."""
    from analytics.search.words import STOPWORDS

    words = re.findall(r"[^\W_]+(?:[./-][^\W_]+)*", folded(text))
    kept = [word for word in words if word not in STOPWORDS and word not in ASKING]
    return list(dict.fromkeys(root_of(word) for word in kept if len(word) > 1 or word.isdigit()))


def loose_pattern(root: str) -> str:
    """A regular expression for Python and for PostgreSQL (`\\m` aside): the root with or without its marks."""
    return "".join(f"[{_MARKED[letter]}]" if letter in _MARKED else re.escape(letter) for letter in root)
