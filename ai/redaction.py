"""Contact persons out of a text, before it leaves the house: e-mail addresses, telephone numbers, names beside the
word contact. By patterns: they find what notices usually hold, not everything that could ever name a person."""

from __future__ import annotations

import re
from collections.abc import Callable

EMAIL, PHONE, NAME = "[e-mail]", "[phone]", "[name]"

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%-]{1,64}(?:@|\s?(?:\(at\)|\[at\])\s?)(?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,24}\b", re.IGNORECASE
)

_DIGITS = r"\d(?:[\s ./–-]{0,3}\(?\d\)?){5,16}"
_INTERNATIONAL = re.compile(rf"(?<![\w+])(?:\+|(?<!\d )00(?=[1-9]\d[\s /.-]))\s?\(?{_DIGITS}(?!\w)")
_LABELLED = re.compile(
    r"(?P<word>(?<!\w)(?:tel(?:e(?:ph|f)on[eo]?|\.?efon|éfono)?|\w{0,8}phone|fax|mobile?|móvil|telemóvel|teléfono"
    r"|tél(?:éphone)?|handy|gsm|ph|هاتف|الهاتف|فاكس|جوال)\b(?:\s?(?:no|nr|n[°º]|number))?[.:\s]{0,4})"
    rf"(?P<number>\+?\(?{_DIGITS})",
    re.IGNORECASE,
)
# A national number begins with 0 and is written in groups: 030 / 1234-567, (0211) 99 88 77. Not so 2018/S 031-067685,
# of the Official Journal, and 0900 2025-03-11, an hour and a day.
_NATIONAL = re.compile(
    r"(?<![\w.,/-])(?<![\dS] )(?!\d{4}\s20\d\d-)\(?0[1-9]\d{1,4}\)?"
    r"(?:\s?[/–-]\s?|\s)\d{2,8}(?:[\s-]\d{2,6}){0,4}(?![\w/]|[.,]\d)"
)
_AMERICAN = re.compile(r"(?<![\w.])(?:\(\d{3}\)\s?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w-])")

_TITLE = (
    r"(?:mrs?|ms|miss|herrn?|frau|sr[ae]?|señora?|monsieur|madame|mme|dott?|dr|ing|dipl|prof|eng|arq)\.?(?:-ing\.?)?"
)
_CONTACT = re.compile(
    r"(?<!\w)(?:contact(?:\s(?:person|point|name))?|ansprechpartner(?:in)?|kontakt(?:person|stelle)?|z\.?\s?hd\.?"
    r"|zu\shänden(?:\svon)?|persona\sde\scontacto|pessoa\sde\scontacto|contacto|contato|personne\s(?:de|à)\scontact(?:er)?"
    r"|à\sl['’]attention\sde|att?n|attention(?:\sof|(?=\s?:))|referente|responsabile|contactpersoon|ter\sattentie\svan"
    r"|osoba\sdo\skontakt(?:u|ów)|kontaktní\sosoba|kapcsolattartó|مسؤول\sالاتصال|جهة\sالاتصال)"
    r"(?P<mark>\s?[:\-–.]\s*|\s+)(?P<rest>[^\n\r:;|<>]{2,80})",
    re.IGNORECASE,
)
_HONORIFIC = re.compile(
    r"(?<!\w)(?P<title>Mr|Mrs|Ms|Herrn?|Frau|Señora?|Sra?|Mme|Monsieur|Madame)(?P<gap>\.?\s+(?:Dr\.\s?|Ing\.\s?|Prof\.\s?)*)"
    r"(?P<rest>[^\n\r:;|<>]{2,60})"
)
_LEADING_TITLES = re.compile(rf"(?:{_TITLE}\s+)*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'’.-]*")
_BETWEEN = {"al", "bin", "da", "de", "del", "della", "den", "der", "di", "do", "dos", "el", "la", "le", "van", "von"}
# fmt: off
_NO_NAME = {
    "the", "department", "office", "us", "details", "person", "president", "presidente", "vereador", "director",
    "speaker", "minister", "abteilung", "amt", "stadt", "vergabestelle", "bürgermeister",
}
# fmt: on


def redact(text: str) -> tuple[str, int]:
    """The text with placeholders, and how many there are. Doing it twice changes nothing."""
    count = 0

    def put(instead: str) -> Callable[[re.Match[str]], str]:
        def replace(found: re.Match[str]) -> str:
            nonlocal count
            count += 1
            return instead

        return replace

    def number(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return found["word"] + PHONE

    def person(found: re.Match[str]) -> str:
        nonlocal count
        before = found.group()[: found.start("rest") - found.start()]
        is_marked = "mark" not in found.groupdict() or bool(found["mark"].strip())
        length = _name_length(found["rest"], is_marked=is_marked)
        count += bool(length)
        return before + (NAME + found["rest"][length:] if length else found["rest"])

    text = _EMAIL.sub(put(EMAIL), text)
    text = _LABELLED.sub(number, text)
    for pattern in (_INTERNATIONAL, _NATIONAL, _AMERICAN):
        text = pattern.sub(put(PHONE), text)
    for pattern in (_CONTACT, _HONORIFIC):
        text = pattern.sub(person, text)
    return text, count


def _name_length(rest: str, *, is_marked: bool) -> int:
    """How much of `rest` is a person's name, from its beginning: up to four words that begin as names do, and what
    stands between them (de, von). Unless a colon or a title marks it there must be two, in a script that has capitals:
    "contact the office" names nobody."""
    titles = _LEADING_TITLES.match(rest)
    position = titles.end() if titles else 0
    is_marked = is_marked or position > 0
    words = end = 0
    while words < 4 and (word := _WORD.match(rest, position)):
        text = word.group()
        ends_sentence = text.endswith(".") and len(text) > 3  # initials do not
        if _is_name(text, is_marked=is_marked):
            words += 1
            end = word.end() - ends_sentence
        elif not words or text.lower() not in _BETWEEN:
            break
        position = word.end() + 1
        if ends_sentence or rest[word.end() : position] != " ":
            break
    return end if words >= (1 if is_marked else 2) else 0


def _is_name(word: str, *, is_marked: bool) -> bool:
    has_capitals = word[0].lower() != word[0].upper()
    begins = word[0].isupper() if has_capitals else is_marked
    return begins and word.lower().rstrip(".") not in _NO_NAME
