"""The functions that bills of quantities compute with, on Decimals. Errors of a spreadsheet are `Unsupported` here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, ROUND_UP, Decimal

from projects.exports.formula import Unsupported

Value = Decimal | str | bool


@dataclass(slots=True)
class Many:
    """The cells of an area, row by row, as far as the sheet reaches; None is an empty one."""

    values: list[Value | None]
    width: int
    height: int  # as written, also beyond the sheet's end


Argument = Value | Many | None
_CRITERION = re.compile(r"(<=|>=|<>|=|<|>)?(.*)", re.DOTALL)


def number_of(value: Argument) -> Decimal:
    """As arithmetic takes it: an empty cell is 0. Raises Unsupported for text."""
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, Decimal):
        return value
    if value is None:
        return Decimal(0)
    raise Unsupported("a text where a figure is due")


def text_of(value: Argument) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    raise Unsupported("an area where a text is due")


def compare(mark: str, left: Argument, right: Argument) -> bool:
    """Texts without regard to case; an empty cell equals 0 and ""."""
    if isinstance(left, Many) or isinstance(right, Many):
        raise Unsupported("an area is compared")
    if left is None:
        left = "" if isinstance(right, str) else Decimal(0)
    if right is None:
        right = "" if isinstance(left, str) else Decimal(0)
    if isinstance(left, str) and isinstance(right, str):
        return _ordered(mark, (left.casefold() > right.casefold()) - (left.casefold() < right.casefold()))
    if type(left) is not type(right):  # numbers come before texts, texts before truths
        ranks = [1 if isinstance(side, str) else 2 if isinstance(side, bool) else 0 for side in (left, right)]
        return _ordered(mark, ranks[0] - ranks[1])
    a, b = number_of(left), number_of(right)
    return _ordered(mark, (a > b) - (a < b))


def _ordered(mark: str, sign: int) -> bool:
    return {"=": sign == 0, "<>": sign != 0, "<": sign < 0, ">": sign > 0, "<=": sign <= 0, ">=": sign >= 0}[mark]


def _figures(arguments: list[Argument]) -> list[Decimal]:
    """What a sum is made of: figures of areas, texts in them left out; single values as arithmetic takes them."""
    found: list[Decimal] = []
    for argument in arguments:
        if isinstance(argument, Many):
            found.extend(value for value in argument.values if isinstance(value, Decimal))
        else:
            found.append(number_of(argument))
    return found


def _sum(arguments: list[Argument]) -> Value:
    return sum(_figures(arguments), Decimal(0))


def _rounding(mode: str) -> Callable[[list[Argument]], Value]:
    def rounded(arguments: list[Argument]) -> Value:
        value, digits = number_of(arguments[0]), int(number_of(arguments[1])) if len(arguments) > 1 else 0
        if not -15 <= digits <= 15 or len(arguments) > 2:
            raise Unsupported("digits")
        return value.quantize(Decimal(1).scaleb(-digits), mode) if digits >= 0 else (
            (value.scaleb(digits)).quantize(Decimal(1), mode).scaleb(-digits)
        )  # fmt: skip

    return rounded


def _matches(criterion: Argument) -> Callable[[Value | None], bool]:
    """As SUMIF and COUNTIFS have it: "<>NOR", "=0", a plain value. Raises Unsupported for wildcards."""
    if isinstance(criterion, Many):
        raise Unsupported("an area as a criterion")
    if not isinstance(criterion, str):
        wanted: Value = criterion if criterion is not None else Decimal(0)
        return lambda value: value is not None and compare("=", value, wanted)
    match = _CRITERION.fullmatch(criterion)
    assert match is not None
    mark, rest = match.group(1) or "=", match.group(2)
    if "*" in rest or "?" in rest or "~" in rest:
        raise Unsupported("a wildcard")
    if rest == "":
        if mark not in ("=", "<>"):
            raise Unsupported("an open criterion")
        return (lambda value: value in (None, "")) if mark == "=" else (lambda value: value is not None)
    try:
        figure: Value = Decimal(rest.replace(",", "."))
    except ArithmeticError:
        figure = rest
    if mark == "<>":
        return lambda value: value is None or not compare("=", value, figure)
    return lambda value: value is not None and isinstance(value, str) == isinstance(figure, str) and compare(
        mark, value, figure
    )  # fmt: skip


def _area(argument: Argument) -> Many:
    return argument if isinstance(argument, Many) else Many([argument], 1, 1)


def _sumif(arguments: list[Argument]) -> Value:
    if len(arguments) not in (2, 3):
        raise Unsupported("SUMIF")
    tested, summed = _area(arguments[0]), _area(arguments[-1] if len(arguments) == 3 else arguments[0])
    if tested.width != summed.width or tested.height != summed.height or len(tested.values) != len(summed.values):
        raise Unsupported("areas of different size")
    is_meant = _matches(arguments[1])
    pairs = zip(tested.values, summed.values, strict=True)
    return sum((value for test, value in pairs if isinstance(value, Decimal) and is_meant(test)), Decimal(0))


def _countifs(arguments: list[Argument]) -> Value:
    if len(arguments) % 2 or not arguments:
        raise Unsupported("COUNTIFS")
    areas = [_area(argument) for argument in arguments[::2]]
    if len({(len(area.values), area.width) for area in areas}) != 1:
        raise Unsupported("areas of different size")
    tests = [_matches(criterion) for criterion in arguments[1::2]]
    rows = zip(*(area.values for area in areas), strict=True)
    return Decimal(sum(all(test(value) for test, value in zip(tests, row, strict=True)) for row in rows))


def _one(arguments: list[Argument]) -> Argument:
    if len(arguments) != 1:
        raise Unsupported("one argument is due")
    return arguments[0]


def _product(arguments: list[Argument]) -> Value:
    result = Decimal(1)
    for figure in _figures(arguments):
        result *= figure
    return result


def _truths(arguments: list[Argument]) -> list[bool]:
    return [value if isinstance(value, bool) else number_of(value) != 0 for value in arguments]


FUNCTIONS: dict[str, Callable[[list[Argument]], Value]] = {
    "SUM": _sum,
    "PRODUCT": _product,
    "MIN": lambda arguments: min(_figures(arguments), default=Decimal(0)),
    "MAX": lambda arguments: max(_figures(arguments), default=Decimal(0)),
    "ABS": lambda arguments: abs(number_of(_one(arguments))),
    "INT": lambda arguments: number_of(_one(arguments)).to_integral_value(ROUND_FLOOR),
    "ROUND": _rounding(ROUND_HALF_UP),
    "ROUNDUP": _rounding(ROUND_UP),
    "ROUNDDOWN": _rounding(ROUND_DOWN),
    "TRUNC": _rounding(ROUND_DOWN),
    "SUMIF": _sumif,
    "COUNTIF": _countifs,
    "COUNTIFS": _countifs,
    "COUNT": lambda arguments: Decimal(len(_figures([a for a in arguments if isinstance(a, Many)]))),
    "AND": lambda arguments: all(_truths(arguments)),
    "OR": lambda arguments: any(_truths(arguments)),
    "NOT": lambda arguments: not _truths([_one(arguments)])[0],
}
__all__ = ["FUNCTIONS", "Many", "Value", "compare", "number_of", "text_of"]
