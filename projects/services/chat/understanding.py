"""Questions that the database answers exactly, understood without a model. Free of the database."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from analytics.search.folding import folded

from . import grammar as g
from .commands import target_of
from .language import ASKING, root_of

MOST_LISTED, LISTED = 20, 5
MOST_FREE_WORDS = 2  # that narrow a question; with more of them it is about something else
_RULE_ID = re.compile(r"\b([A-Za-z]\d{2})\b")
# Where the name of a section ends.
_ENDS = (
    rf"(?:^|\s+)(?:{g.WITHOUT}|most|the most|{g.DEAREST}|cost|kostet|stoji|altogether|celkem|is|are|je|jsou|ist|with)"
    r"(?:\s|$)"
)
_NUMBERED = re.compile(r"#?(?=\S*\d)[^\s?!,;]+")


@dataclass(frozen=True, slots=True)
class Intent:
    """`name`: total, section, sections, dearest, findings, rule, why, count, missing, changes, code, position,
    documents. `target`: a section's or position's name, a code, a rule. `words`: roots that a position's text must
    hold. `number`: how many, or which version (None: the newest)."""

    name: str
    target: str = ""
    section: str = ""
    grade: str = ""
    field: str = ""
    number: int | None = None
    words: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {key: list(value) if key == "words" else value for key, value in asdict(self).items() if value}


def intent_of(text: str, earlier: dict[str, Any] | None = None) -> Intent | None:
    """None: no question of these. `earlier`: the intent of the question before, for "and section 3?"."""
    plain = re.sub(r"\s+", " ", folded(text)).strip(" ?!.")
    if len(plain) > 200:
        return None
    if earlier and (following := _following(plain, earlier)):
        return following
    for reader in _READERS:
        if (found := reader(plain)) is not None:
            return found
    return None


def _has(pattern: str, plain: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w)(?:{pattern})(?!\w)", plain)


def _section(plain: str) -> str:
    """The section that is named, to the end or to a word that begins something else."""
    match = re.search(rf"(?<!\w){g.SECTION}\s+(?P<name>.+)$", plain)
    if not match:
        return ""
    name = re.split(_ENDS, match["name"])[0]
    return name.strip().strip("\"'“”„«»")


@lru_cache(maxsize=1)
def _known() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(f'(?:{pattern})' for pattern in g.KNOWN)})(?!\w)")


def _free(plain: str, section: str = "") -> tuple[str, ...] | None:
    """Roots of the words that are left over; None: too many, the question is about something else."""
    from analytics.search.words import STOPWORDS

    rest = plain.replace(section, " ") if section else plain
    words = re.findall(r"[^\W_]+", _known().sub(" ", rest))
    left = [word for word in words if not (word in STOPWORDS or word in ASKING or word.isdigit())]
    return tuple(dict.fromkeys(map(root_of, left))) if len(left) <= MOST_FREE_WORDS else None


def _narrowed(intent: Intent, plain: str) -> Intent | None:
    """With the section and the words of the text; None where it says more than is understood."""
    section = _section(plain)
    words = _free(plain, section)
    return None if words is None else replace(intent, section=section, words=words)


def _changes(plain: str) -> Intent | None:
    if not _has(g.CHANGED, plain):
        return None
    match = re.search(rf"(?<!\w){g.VERSION}\s+(?:no\.?\s*|c\.\s*)?(\d{{1,6}})\b|\bv(\d{{1,6}})\b", plain)
    if match:
        return Intent("changes", number=int(match[1] or match[2]))
    if _has(g.VERSION, plain) or _free(plain) == ():
        return Intent("changes")
    return None


def _why(plain: str) -> Intent | None:
    if not _has(g.WHY, plain):
        return None
    match = re.search(rf"{g.POSITION}\s+(\S+)|(?:is|je|ist)\s+(?:{g.POSITION}\s+)?(#?\S*\d\S*)", plain)
    if not match or not _has(f"{g.RED}|{g.AMBER}|{g.UNCHECKED}|{g.GREEN}", plain):
        return None
    return Intent("why", target=match[1] or match[2])


def _missing(plain: str) -> Intent | None:
    match = re.search(rf"(?<!\w){g.WITHOUT}\s+(?:a\s+|an\s+)?{g.FIELD}", plain) or re.search(
        rf"{g.FIELD}\s+{g.WITHOUT}(?!\w)", plain
    )
    if not match:
        return None
    return _narrowed(Intent("missing", field="unit_price" if match["price"] else "quantity"), plain)


def _grade(plain: str) -> str:
    for grade, pattern in (("not_checked", g.UNCHECKED), ("red", g.RED), ("amber", g.AMBER), ("green", g.GREEN)):
        if _has(pattern, plain):
            return grade
    return ""


def _count(plain: str) -> Intent | None:
    if not _has(g.HOW_MANY, plain):
        return None
    grade = _grade(plain)
    if _has(g.FINDING, plain):
        return _narrowed(Intent("findings", grade=grade, field="count"), plain)
    if re.search(rf"(?<!\w){g.POSITION}", plain) or grade:
        return _narrowed(Intent("count", grade=grade), plain)
    return None


def _findings(plain: str) -> Intent | None:
    rule = _RULE_ID.search(plain)
    if rule and (_has(g.FINDING, plain) or _has(g.RULE, plain)):
        return Intent("rule", target=rule[1].upper())
    grade = _grade(plain)
    if _has(g.FINDING, plain) or (grade and re.search(rf"(?<!\w){g.POSITION}", plain)):
        return _narrowed(Intent("findings", grade=grade), plain)
    return None


def _dearest(plain: str) -> Intent | None:
    if not _has(g.DEAREST, plain) or not (
        re.search(rf"(?<!\w){g.POSITION}", plain) or _has(g.PRICE, plain) or re.search(r"expens|dear|draz|teuer", plain)
    ):
        return None
    number = re.search(r"(?<![\w.,])(\d{1,3})(?![\w.,])", plain.split(_section(plain) or "\0")[0])
    asked = min(int(number[1]), MOST_LISTED) if number else LISTED
    if re.search(rf"{g.DEAREST}\s+{g.SECTION}", plain) or (re.search(g.SECTION, plain) and not _section(plain)):
        return Intent("sections", field="cost", number=asked)
    field = "unit_price" if re.search(r"unit price|jednotkov|einheitspreis", plain) else "total"
    return _narrowed(Intent("dearest", field=field, number=max(1, asked)), plain)


def _code(plain: str) -> Intent | None:
    match = re.search(rf"(?<!\w){g.CODE}\s+(#?\S*\d\S*)", plain)
    return Intent("code", target=match[1].strip("\"'“”„«».,")) if match else None


def _sections(plain: str) -> Intent | None:
    if re.search(r"(?:by|per|je|nach|podle|po)\s+" + g.SECTION, plain) or (
        re.search(rf"(?<!\w){g.SECTION}$", plain) and not _section(plain)
    ):
        return Intent("sections") if _free(plain) == () else None
    return None


def _section_sum(plain: str) -> Intent | None:
    section = _section(plain)
    is_asked = _has(g.MONEY, plain) or plain.startswith(section)
    return Intent("section", section=section) if section and is_asked and _free(plain, section) == () else None


def _position(plain: str) -> Intent | None:
    match = re.search(rf"(?<!\w){g.POSITION}\s+(?:no\.?\s+|nr\.?\s+|c\.\s+)?({_NUMBERED.pattern})", plain) or re.search(
        rf"(?<!\w){g.FIELD}\s+(?:{g.OF}\s+)+(?P<of>{_NUMBERED.pattern})", plain
    )
    if not match:
        return None
    target = match.groupdict().get("of") or match[1]
    return Intent("position", target=target) if _free(plain.replace(target, " ")) == () else None


def _documents(plain: str) -> Intent | None:
    return Intent("documents") if _has(g.DOCUMENTS, plain) and _free(plain) == () else None


def _total(plain: str) -> Intent | None:
    if not _has(g.MONEY, plain) or re.search(r"\d", plain):
        return None
    words = _free(plain)
    if words is None or (words and not re.search(rf"(?<!\w){g.POSITION}", plain)):
        return None
    return Intent("total", words=words)


_READERS = (
    _changes, _why, _missing, _count, _findings, _dearest, _code, _sections, _section_sum, _position, _documents,
    _total,
)  # fmt: skip


def _following(plain: str, earlier: dict[str, Any]) -> Intent | None:
    """ "And section 3?" after a question about a section; "and version 2?"; "and position 7?"."""
    match = re.match(rf"{g.FOLLOWING}\s+(.+)$", plain)
    if not match:
        return None
    rest, name = match[1], str(earlier.get("name", ""))
    if version := re.match(rf"(?:in\s+|ve\s+)?{g.VERSION}\s+(\d{{1,6}})$", rest):
        return Intent("changes", number=int(version[1]))
    target = target_of(re.sub(r"^(?:in|v|ve|im)\s+", "", rest))
    kept = {key: earlier[key] for key in ("grade", "field", "number") if key in earlier}
    if target.kind == "section" and name in ("section", "dearest", "count", "missing", "findings", "total"):
        return Intent("section" if name == "total" else name, section=target.names[0], **kept)
    if (
        target.kind != "section"
        and target.names
        and name in ("position", "why", "code")
        and _NUMBERED.fullmatch(rest.split()[-1])
    ):
        return Intent(name, target=target.names[0])
    return None
