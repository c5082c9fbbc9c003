"""Bills of our own in FIEBDC-3: chapters, positions, texts and measurements."""

from __future__ import annotations

from pathlib import Path

from tests.factories.bills import GivenBill, GivenPosition, GivenSection

SPECIAL = str.maketrans({"|": "/", "\\": "/", "~": "-", "#": "+"})  # the format has no way to write them


def bc3_text(bill: GivenBill, *, said: str = "UTF-8", decimals: str = r"\2\3\3\2\2\2\2\EUR\|0\0\0\0\0") -> str:
    """Objects are chapters, their sections chapters below; each chapter states its sum."""
    records = [f"~V|Us|FIEBDC-3/2016\\05032026|Us||{said}|Ours|2|||", f"~K|{decimals}|"]
    records.append(f"~C|ROOT##||{_clean(bill.title)}|{bill.total}|050326|0|")
    records.append(_children("ROOT##", [(f"{obj.code}#", "1") for obj in bill.objects]))
    for obj in bill.objects:
        total = sum(p.total for section in obj.sections for p in section.positions)
        codes = [f"{obj.code}.{section.code}#" for section in obj.sections]
        records += [
            f"~C|{obj.code}#||{_clean(obj.name)}|{total}||0|",
            _children(f"{obj.code}#", [(c, "1") for c in codes]),
        ]
        for section, code in zip(obj.sections, codes, strict=True):
            records += _section(section, code)
    return "\r\n".join(records) + "\r\n\x1a"


def _section(section: GivenSection, code: str) -> list[str]:
    total = sum(p.total for p in section.positions)
    records = [f"~C|{code}||{_clean(section.name)}|{total}||0|"]
    records.append(_children(code, [(_code(p), str(p.quantity)) for p in section.positions]))
    for p in section.positions:
        records.append(
            f"~C|{_code(p)}|{_clean(p.unit)}|{_clean(p.description)}|{p.unit_price}|050326|{3 if p.is_material else 0}|"
        )
        if p.note:
            records.append(f"~T|{_code(p)}|{_clean(p.note)}|")
        records.append(f"~M|{code}\\{_code(p)}|1\\1\\1|{p.quantity}|\\all of it\\1\\{p.quantity}\\\\\\|")
    return records


def _children(code: str, children: list[tuple[str, str]]) -> str:
    return f"~D|{code}|" + "".join(f"{child}\\1\\{amount}\\" for child, amount in children) + "|"


def _code(p: GivenPosition) -> str:
    return f"{p.code or 'P'}.{p.number}".translate(SPECIAL)


def _clean(text: str) -> str:
    return text.translate(SPECIAL)


def write_bc3(path: Path, bill: GivenBill, *, said: str = "UTF-8", codec: str = "utf-8", **whole: str) -> None:
    path.write_bytes(bc3_text(bill, said=said, **whole).encode(codec))
