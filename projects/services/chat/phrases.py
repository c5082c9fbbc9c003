"""What computed answers and proposals say, in the language of the question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_MINUS = "\u2212"
_GROUPS = {"en": (",", "."), "cs": ("\u00a0", ","), "de": (".", ",")}

# en, cs, de.
PHRASES: dict[str, tuple[str, str, str]] = {
    "total": (
        "The budget totals {total}; positions: {count}, version {version}.",
        "Rozpočet činí celkem {total}: počet položek {count}, verze {version}.",
        "Das Budget beträgt insgesamt {total}; Positionen: {count}, Version {version}.",
    ),
    "words_sum": (
        "Positions that hold “{words}”: {count}; together {total}.",
        "Počet položek, které obsahují „{words}“: {count}; dohromady stojí {total}.",
        "Positionen mit „{words}“: {count}; zusammen {total}.",
    ),
    "section": (
        "{label}: {total} ({share} % of the budget), positions: {count}.",
        "{label}: {total} ({share} % rozpočtu), počet položek: {count}.",
        "{label}: {total} ({share} % des Budgets), Positionen: {count}.",
    ),
    "sections": ("The budget by section:", "Rozpočet podle oddílů:", "Das Budget nach Abschnitten:"),
    "several": (
        "{count} sections are named so:",
        "Tak se jmenuje více oddílů ({count}):",
        "So heißen {count} Abschnitte:",
    ),
    "no_section": (
        "No section is named “{name}”. There are: {known}.",
        "Žádný oddíl se nejmenuje „{name}“. Jsou tu: {known}.",
        "Kein Abschnitt heißt „{name}“. Es gibt: {known}.",
    ),
    "no_position": (
        "No position has the number, code or words “{name}”.",
        "Žádná položka nemá číslo, kód ani text „{name}“.",
        "Keine Position hat die Nummer, den Code oder den Text „{name}“.",
    ),
    "which_position": (
        "More than one position is “{name}”. Which one?",
        "Položek „{name}“ je více. Kterou?",
        "Mehr als eine Position ist „{name}“. Welche?",
    ),
    "which_section": (
        "More than one section is “{name}”. Which one?",
        "Oddílů „{name}“ je více. Který?",
        "Mehr als ein Abschnitt ist „{name}“. Welcher?",
    ),
    "dearest": (
        "The most expensive positions{where}, {count} of them ({share} % of the budget together):",
        "Nejdražší položky{where}, počet {count} (dohromady {share} % rozpočtu):",
        "Die {count} teuersten Positionen{where} (zusammen {share} % des Budgets):",
    ),
    "dearest_unit": (
        "The {count} positions{where} with the highest unit price:",
        "Položky{where} s nejvyšší jednotkovou cenou, počet {count}:",
        "Die {count} Positionen{where} mit dem höchsten Einheitspreis:",
    ),
    "count": ("Positions{where}: {count}.", "Počet položek{where}: {count}.", "Positionen{where}: {count}."),
    "missing_price": (
        "Positions{where} without a unit price: {count}.",
        "Počet položek{where} bez jednotkové ceny: {count}.",
        "Positionen{where} ohne Einheitspreis: {count}.",
    ),
    "missing_quantity": (
        "Positions{where} without a quantity: {count}.",
        "Počet položek{where} bez množství: {count}.",
        "Positionen{where} ohne Menge: {count}.",
    ),
    "findings": (
        "Open findings{grade}{where}: {count}; money at stake on their positions: {stake}.",
        "Otevřené nálezy{grade}{where}: {count}; v sázce na jejich položkách: {stake}.",
        "Offene Befunde{grade}{where}: {count}; auf dem Spiel an ihren Positionen: {stake}.",
    ),
    "not_audited": (
        "This version has not been audited yet: nothing is known of its findings.",
        "Tato verze ještě nebyla zkontrolována: o jejích nálezech se nic neví.",
        "Diese Version ist noch nicht geprüft: über ihre Befunde ist nichts bekannt.",
    ),
    "audit_is_old": (
        "The findings are of version {audited}; the budget is at version {version}.",
        "Nálezy jsou z verze {audited}; rozpočet je ve verzi {version}.",
        "Die Befunde sind von Version {audited}; das Budget ist bei Version {version}.",
    ),
    "rule": (
        "{rule}: {title}. Findings: {count}.",
        "{rule}: {title}. Počet nálezů: {count}.",
        "{rule}: {title}. Befunde: {count}.",
    ),
    "no_rule": ("There is no rule {rule}.", "Pravidlo {rule} neexistuje.", "Es gibt keine Regel {rule}."),
    "why": (
        "Position {number} is graded {grade}. Findings: {count}.",
        "Položka {number} má známku {grade}. Nálezy: {count}.",
        "Position {number} ist mit {grade} bewertet. Befunde: {count}.",
    ),
    "changes": (
        "Version {number} ({trigger}) changed the total by {delta} to {total}: {added} added, {removed} "
        "removed, {modified} modified.",
        "Verze {number} ({trigger}) změnila celkovou cenu o {delta} na {total}: přidáno {added}, odebráno "
        "{removed}, změněno {modified}.",
        "Version {number} ({trigger}) änderte die Summe um {delta} auf {total}: {added} neu, {removed} "
        "entfernt, {modified} geändert.",
    ),
    "no_version": (
        "There is no version {number}; the newest is {version}.",
        "Verze {number} není; nejnovější je {version}.",
        "Es gibt keine Version {number}; die neueste ist {version}.",
    ),
    "code": (
        "Positions with the code {code}: {count}; quantity {quantity}, together {total}.",
        "Počet položek s kódem {code}: {count}; množství {quantity}, dohromady {total}.",
        "Positionen mit dem Code {code}: {count}; Menge {quantity}, zusammen {total}.",
    ),
    "no_code": (
        "No position has the code {code}.",
        "Žádná položka nemá kód {code}.",
        "Keine Position hat den Code {code}.",
    ),
    "position": (
        "Position {number}: {description}. {quantity} {unit} × {price} = {total}.",
        "Položka {number}: {description}. {quantity} {unit} × {price} = {total}.",
        "Position {number}: {description}. {quantity} {unit} × {price} = {total}.",
    ),
    "documents": ("Documents: {count}.", "Dokumenty: {count}.", "Dokumente: {count}."),
    "empty": (
        "There is no budget yet. Upload a bill of quantities first.",
        "Zatím tu není žádný rozpočet. Nejprve nahrajte výkaz výměr.",
        "Es gibt noch kein Budget. Laden Sie zuerst ein Leistungsverzeichnis hoch.",
    ),
    "nobody": (
        "I don’t know. Nothing in this project or in the clauses answers this.",
        "Nevím. Nic v tomto projektu ani v ustanoveních na to neodpovídá.",
        "Das weiß ich nicht. Nichts in diesem Projekt oder in den Klauseln beantwortet das.",
    ),
    "extract": (
        "The best passage, as it stands in {title}{place}:",
        "Nejlepší úryvek, jak stojí v {title}{place}:",
        "Die beste Stelle, wie sie in {title}{place} steht:",
    ),
    "unclear": (
        "I did not understand “{text}”. Write for instance: set the price of 1.12 to 350 · raise section 2 "
        "by 5 % · change the quantity of 1.12 to 20 · delete position 1.12.",
        "Nerozumím „{text}“. Napište například: nastav cenu položky 1.12 na 350 · zvyš oddíl 2 o 5 % · změň "
        "množství položky 1.12 na 20 · smaž položku 1.12.",
        "„{text}“ ist nicht verstanden. Schreiben Sie zum Beispiel: setze den Preis von 1.12 auf 350 · "
        "erhöhe Abschnitt 2 um 5 % · ändere die Menge von 1.12 auf 20 · lösche Position 1.12.",
    ),
    "proposal": (
        "Proposed: positions that change: {count}; the total by {delta} to {total}. Nothing is changed until "
        "somebody applies it.",
        "Návrh: počet změněných položek {count}, celková cena se změní o {delta} na {total}. Dokud návrh "
        "někdo nepoužije, nic se nemění.",
        "Vorschlag: geänderte Positionen: {count}; die Summe um {delta} auf {total}. Bis jemand ihn "
        "anwendet, ändert sich nichts.",
    ),
    "nothing_to_do": (
        "The budget already is like that: there is nothing to change.",
        "Rozpočet už takový je: není co měnit.",
        "Das Budget ist schon so: es gibt nichts zu ändern.",
    ),
    "too_many": (
        "That would change {count} positions; a proposal takes {most} at most. Name a section.",
        "To by změnilo položek: {count}; návrh jich pojme nejvýše {most}. Uveďte oddíl.",
        "Das würde {count} Positionen ändern; ein Vorschlag fasst höchstens {most}. Nennen Sie einen "
        "Abschnitt.",
    ),
    "too_large": (
        "That makes a figure larger than any budget holds.",
        "To by dalo číslo větší, než jaké rozpočet pojme.",
        "Das ergibt eine Zahl, die größer ist, als ein Budget sie fasst.",
    ),
    "unpriced": (
        "Positions without a figure to scale, which stay as they are: {count}.",
        "Položky bez čísla, které by šlo změnit, zůstávají, jak jsou: {count}.",
        "Positionen ohne Zahl, die sich ändern ließe, bleiben, wie sie sind: {count}.",
    ),
    "in_section": (" in {label}", " v oddílu {label}", " in {label}"),
    "with_words": (" that hold “{words}”", " s textem „{words}“", " mit „{words}“"),
}  # fmt: skip

# Grades and columns: en, cs, de.
WORDS: dict[str, tuple[str, str, str]] = {
    "red": ("red", "červená", "rot"),
    "amber": ("amber", "oranžová", "gelb"),
    "green": ("green", "zelená", "grün"),
    "not_checked": ("not checked", "nezkontrolováno", "nicht geprüft"),
    "info": ("info", "informace", "Hinweis"),
    "Number": ("Number", "Číslo", "Nummer"),
    "Description": ("Description", "Popis", "Beschreibung"),
    "Quantity": ("Quantity", "Množství", "Menge"),
    "Unit price": ("Unit price", "Jedn. cena", "Einheitspreis"),
    "Total": ("Total", "Celkem", "Gesamt"),
    "Section": ("Section", "Oddíl", "Abschnitt"),
    "Positions": ("Positions", "Položky", "Positionen"),
    "Rule": ("Rule", "Pravidlo", "Regel"),
    "Grade": ("Grade", "Známka", "Bewertung"),
    "Position": ("Position", "Položka", "Position"),
    "Reason": ("Reason", "Důvod", "Grund"),
    "At stake": ("At stake", "V sázce", "Auf dem Spiel"),
    "Change": ("Change", "Změna", "Änderung"),
    "Before": ("Before", "Před", "Vorher"),
    "After": ("After", "Po", "Nachher"),
    "Document": ("Document", "Dokument", "Dokument"),
    "Kind": ("Kind", "Druh", "Art"),
    "State": ("State", "Stav", "Stand"),
    "Unit": ("Unit", "MJ", "Einheit"),
    "Share": ("Share", "Podíl", "Anteil"),
}  # fmt: skip
_ORDER = {"en": 0, "cs": 1, "de": 2}


def say(language: str, key: str, **values: Any) -> str:
    return PHRASES[key][_ORDER[language]].format(**values)


def word(language: str, key: str) -> str:
    return WORDS[key][_ORDER[language]] if key in WORDS else key


def words(language: str, *keys: str) -> list[str]:
    return [word(language, key) for key in keys]


def number(language: str, value: Decimal | int | None, *, digits: int | None = None) -> str:
    """As the language writes figures; a dash for none. `digits`: None keeps what there is, without zeros at the end."""
    if value is None:
        return "–"
    told = Decimal(value)
    text = f"{told:,.{digits}f}" if digits is not None else f"{told:,.4f}".rstrip("0").rstrip(".")
    group, mark = _GROUPS[language]
    return text.replace("-", _MINUS).replace(",", "\0").replace(".", mark).replace("\0", group)


def money(language: str, value: Decimal | None, currency: str = "") -> str:
    text = number(language, value, digits=2)
    return f"{text}\u00a0{currency}" if currency and value is not None else text


def signed(language: str, value: Decimal, currency: str = "") -> str:
    return ("+" if value > 0 else "") + money(language, value, currency)
