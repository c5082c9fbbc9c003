"""A measure sheet as a whole: which of its lines make the quantity, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from projects.audit.arithmetic import Problem, evaluate
from projects.parsers.bill import MeasureLine


@dataclass(frozen=True, slots=True)
class SheetResult:
    """`candidates`: every reading of the sheet that the file allows; one, where it marks the line that counts."""

    candidates: tuple[Decimal, ...]
    formula: str  # what was evaluated, for evidence
    problem: str = ""  # why there is no candidate


@dataclass(slots=True)
class _Sums:
    everything: Decimal = Decimal(0)
    block: Decimal = Decimal(0)  # since the last subtotal of any kind
    last: Decimal | None = None
    subtotals: tuple[Decimal, ...] = ()
    problem: str = ""
    block_problem: str = ""

    def take(self, value: Decimal | Problem | None) -> None:
        if isinstance(value, Problem):
            self.problem = self.problem or value.reason
            self.block_problem = self.block_problem or value.reason
        elif value is not None:
            self.everything += value
            self.block += value
            self.last = value

    def subtotal(self) -> None:
        self.subtotals = (*self.subtotals, self.block, self.everything)
        self.block = Decimal(0)
        self.block_problem = ""


def has_expressions(lines: Sequence[MeasureLine]) -> bool:
    return any(line.kind == "expression" and line.text.strip() for line in lines)


def evaluate_sheet(lines: Sequence[MeasureLine], figures: Mapping[str, Decimal]) -> SheetResult:
    """Evaluate the lines in order.

    The last line marked as the quantity decides: an expression by its own value, a subtotal by the lines above it
    (since the last subtotal, or all of them: files use both). Without a mark, the sum of all expressions, any
    subtotal, or the last expression may be the quantity: a last line often recalculates the one above it
    ("103,886 * 1,05").
    """
    sums = _Sums()
    marked: SheetResult | None = None
    for number, line in enumerate(lines, start=1):
        if line.kind == "subtotal":
            of_subtotal = _of_subtotal(sums, lines)
            sums.subtotal()
            marked = of_subtotal if line.is_quantity else marked
        elif line.kind == "expression":
            value = _value_of(line, figures)
            if isinstance(value, Problem):
                value = Problem(f'line {number}, "{line.text.strip()[:60]}": {value.reason}')
            sums.take(value)
            if line.is_quantity and value is not None:
                marked = _of_line(line, value)
    return marked if marked is not None else _unmarked(sums, lines)


def _value_of(line: MeasureLine, figures: Mapping[str, Decimal]) -> Decimal | Problem | None:
    value = evaluate(line.text, figures)
    if isinstance(value, Problem) and line.value is not None and line.text.strip().isidentifier():
        return line.value  # the line only names a figure and states what it is
    return value


def _of_line(line: MeasureLine, value: Decimal | Problem) -> SheetResult:
    if isinstance(value, Problem):
        return SheetResult((), line.text.strip(), value.reason)
    return SheetResult((value,), line.text.strip())


def _of_subtotal(sums: _Sums, lines: Sequence[MeasureLine]) -> SheetResult:
    if sums.block_problem:
        return SheetResult((), _formula(lines), sums.block_problem)
    is_one = sums.problem or sums.block == sums.everything
    return SheetResult((sums.block,) if is_one else (sums.block, sums.everything), _formula(lines))


def _unmarked(sums: _Sums, lines: Sequence[MeasureLine]) -> SheetResult:
    formula = _formula(lines)
    if sums.problem:
        return SheetResult((), formula, sums.problem)
    if sums.last is None:
        return SheetResult((), formula, "the measure sheet holds no expression")
    readings = dict.fromkeys((sums.everything, *sums.subtotals, sums.last))
    return SheetResult(tuple(readings), formula)


def _formula(lines: Sequence[MeasureLine]) -> str:
    return "; ".join(line.text.strip() for line in lines if line.kind == "expression" and line.text.strip())[:500]
