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
    r"(?P<word>(?<!\w)(?:tel(?:e(?:ph|f)on[eo]?|\.?efon|éfono)?|phone|fax|mobile?|móvil|telemóvel|teléfono|tél(?:éphone)?"
    r"|téléphone|handy|gsm|ph|هاتف|الهاتف|فاكس|جوال)\b(?:\s?(?:no|nr|n[°º]|number))?[.:\s]{0,4})"
    rf"(?P<number>\+?\(?{_DIGITS})",
    re.IGNORECASE,
)
# A national number begins with 0 and is written in groups: 030 / 1234-567, (0211) 99 88 77. Dates and codes are not.
_NATIONAL = re.compile(
    r"(?<![\w.,/-])(?<!\d )\(?0[1-9]\d{1,4}\)?(?:\s?[/–-]\s?|\s)\d{2,8}(?:[\s-]\d{2,6}){0,4}(?![\w/]|[.,]\d)"
)
_AMERICAN = re.compile(r"(?<![\w.])(?:\(\d{3}\)\s?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w-])")

_TITLE = (
    r"(?:mrs?|ms|miss|herrn?|frau|sr[ae]?|señora?|monsieur|madame|mme|dott?|dr|ing|dipl|prof|eng|arq)\.?(?:-ing\.?)?"
)
_CONTACT = re.compile(
    r"(?<!\w)(?:contact(?:\s(?:person|point|name))?|ansprechpartner(?:in)?|kontakt(?:person|stelle)?|z\.?\s?hd\.?"
    r"|zu\shänden(?:\svon)?|persona\sde\scontacto|pessoa\sde\scontacto|contacto|contato|personne\s(?:de|à)\scontact(?:er)?"
    r"|à\sl['’]attention\sde|att?n|attention(?:\sof)?|referente|responsabile|contactpersoon|ter\sattentie\svan"
    r"|osoba\sdo\skontakt(?:u|ów)|kontaktní\sosoba|kapcsolattartó|مسؤول\sالاتصال|جهة\sالاتصال|الاتصال)"
    r"(?P<mark>\s?[:\-–.]\s*|\s+)(?P<rest>[^\n\r:;|<>]{2,80})",
    re.IGNORECASE,
)
_HONORIFIC = re.compile(
    r"(?<!\w)(?P<title>Mr|Mrs|Ms|Herrn?|Frau|Señora?|Sra?|Mme|Monsieur|Madame)(?P<gap>\.?\s+(?:Dr\.\s?|Ing\.\s?|Prof\.\s?)*)"
    r"(?P<rest>[^\n\r:;|<>]{2,60})"
)
_LEADING_TITLES = re.compile(rf"(?:{_TITLE}\s+)*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'’.-]*")
_BETWEEN = {
    "al",
    "bin",
    "da",
    "de",
    "del",
    "della",
    "den",
    "der",
    "di",
    "do",
    "dos",
    "el",
    "la",
    "le",
    "van",
    "von",
    "zu",
}
_NO_NAME = {"the", "department", "office", "abteilung", "amt", "stadt", "vergabestelle", "us", "details", "person"}


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
        needs_two = "mark" in found.groupdict() and not found["mark"].strip()
        length = _name_length(found["rest"], at_least=2 if needs_two else 1)
        count += bool(length)
        return before + (NAME + found["rest"][length:] if length else found["rest"])

    text = _EMAIL.sub(put(EMAIL), text)
    text = _LABELLED.sub(number, text)
    for pattern in (_INTERNATIONAL, _NATIONAL, _AMERICAN):
        text = pattern.sub(put(PHONE), text)
    for pattern in (_CONTACT, _HONORIFIC):
        text = pattern.sub(person, text)
    return text, count


def _name_length(rest: str, *, at_least: int) -> int:
    """How much of `rest` is a person's name, from its beginning: up to four words that begin as names do, and what
    stands between them (de, von). Without a colon before them there must be two, or a title: "contact the office" names
    nobody."""
    titles = _LEADING_TITLES.match(rest)
    position = titles.end() if titles else 0
    at_least = 1 if position else at_least
    words = end = 0
    while words < 4 and (word := _WORD.match(rest, position)):
        text = word.group()
        ends_sentence = text.endswith(".") and len(text) > 3  # initials do not
        if _is_name(text):
            words += 1
            end = word.end() - ends_sentence
        elif not words or text.lower() not in _BETWEEN:
            break
        position = word.end() + 1
        if ends_sentence or rest[word.end() : position] != " ":
            break
    return end if words >= at_least else 0


def _is_name(word: str) -> bool:
    has_case = word[0].lower() != word[0].upper()
    return (word[0].isupper() or not has_case) and word.lower().rstrip(".") not in _NO_NAME
