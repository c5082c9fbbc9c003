"""Faults in the form of a GAEB DA XML file, which a tolerant reader passes over: for rule N05.

Read from the file itself, as a stream: what a reader has made of a figure no longer shows how it was written.
Source: GAEB DA XML 3.3, Fachdokumentation (2021-05); BVBS test criteria 1.8 (quantities of 8 + 3 digits).
"""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from projects.parsers.gaeb_head import MAX_COMPONENTS
from projects.parsers.safexml import child_texts, forget, iterate, line_of, local_name

MOST_REMARKS = 500
_TAGS = frozenset(("Item", "MarkupItem", "BoQCtgy", "Version", "DP"))
_OPENING = frozenset(("BoQCtgy",))
_PRICES = ("UP", "IT")
_UNPRICED, _PRICED = ("81", "83"), ("84", "86")
_QUANTITY = re.compile(r"[+-]?0*(\d{0,8})(?:\.(\d{1,3})0*)?")
_VERSION = re.compile(r"3\.[0-3]")

RawRemark = tuple[int, str, str, str]  # line, number, code, message


def gaeb_facts(path: Path) -> tuple[str, list[RawRemark], bool]:
    """(declared version, remarks in the order of the file, whether these are all). Raises ParseError if damaged."""
    linter = _Linter()
    for event, element in iterate(path, _TAGS, _OPENING):
        linter.take(event, element)
    linter.finish()
    return linter.version, linter.remarks[:MOST_REMARKS], len(linter.remarks) <= MOST_REMARKS


class _Linter:
    def __init__(self) -> None:
        self.version = self.phase = ""
        self.remarks: list[RawRemark] = []
        self._path: list[str] = []
        self._seen: dict[str, int] = {}  # number -> line
        self._ids: dict[str, int] = {}

    def take(self, event: str, element: etree._Element) -> None:
        tag = local_name(element)
        if event == "start":
            self._path.append(element.get("RNoPart", "").strip())
        elif tag == "BoQCtgy":
            self._path.pop()
            forget(element)
        elif tag == "Version":
            self.version = self.version or (element.text or "").strip()
        elif tag == "DP":
            self.phase = self.phase or (element.text or "").strip()
        else:
            self._item(element, is_surcharge=tag == "MarkupItem")
            forget(element)

    def finish(self) -> None:
        if not self.version:
            self._say(0, "", "no_version", "The file does not say which version of GAEB DA XML it is.")
        elif not _VERSION.match(self.version):
            self._say(0, "", "version", f"Version {self.version} is none of 3.0 to 3.3.")
        if not self.phase:
            self._say(0, "", "no_phase", "The file does not say which exchange phase it is (DP).")

    def _say(self, line: int, number: str, code: str, message: str) -> None:
        if len(self.remarks) <= MOST_REMARKS:
            self.remarks.append((line, number, code, message))

    def _item(self, element: etree._Element, *, is_surcharge: bool) -> None:
        line = line_of(element)
        own = (element.get("RNoPart", "").strip(), element.get("RNoIndex", "").strip())
        number = ".".join(part for part in (*self._path, *own) if part)
        texts = child_texts(element)
        self._identity(line, number, own[0], element.get("ID", ""))
        self._figures(line, number, texts)
        if not is_surcharge:
            self._phase(line, number, texts)

    def _identity(self, line: int, number: str, part: str, xml_id: str) -> None:
        if not part:
            self._say(line, number, "no_number", "The position has no number (RNoPart).")
        elif number in self._seen:
            message = f"Number {number} stands twice: also in line {self._seen[number]}."
            self._say(line, number, "number_repeated", message)
        self._seen.setdefault(number, line)
        if not xml_id:
            self._say(line, number, "no_id", "The position has no ID.")
        elif xml_id in self._ids:
            self._say(line, number, "id_repeated", f"ID {xml_id} stands twice: also in line {self._ids[xml_id]}.")
        self._ids.setdefault(xml_id, line)

    def _figures(self, line: int, number: str, texts: dict[str, str]) -> None:
        quantity = texts.get("Qty", "")
        if quantity and not _QUANTITY.fullmatch(quantity):
            message = f"Quantity {quantity[:40]} has more than 8 digits before or 3 behind the point, or is no number."
            self._say(line, number, "quantity_digits", message)
        beyond = sorted(name for name in texts if _component(name) > MAX_COMPONENTS)
        if beyond:
            message = f"{', '.join(beyond)}: a unit price has at most {MAX_COMPONENTS} components."
            self._say(line, number, "components", message)

    def _phase(self, line: int, number: str, texts: dict[str, str]) -> None:
        priced = [name for name in _PRICES if texts.get(name)]
        if self.phase[:2] in _UNPRICED and priced:
            self._say(
                line, number, "priced", f"X{self.phase} carries no prices, this position has {', '.join(priced)}."
            )
        exempt = texts.get("NotOffered") or texts.get("NotAppl") or texts.get("Provis") or texts.get("ALNGroupNo")
        if self.phase[:2] in _PRICED and not priced and not exempt:
            self._say(line, number, "unpriced", f"X{self.phase} carries prices, this position has none.")


def _component(name: str) -> int:
    digits = name.removeprefix("UPComp")
    return int(digits) if name != digits and digits.isdigit() and digits.isascii() and len(digits) < 4 else 0
