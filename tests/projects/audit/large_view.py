"""A large budget for profiling the audit by hand: `python -m tests.projects.audit.large_view [positions]`.

Shaped like a real KROS estimate: five objects, works and materials of CS ÚRS codes, half of the positions with a
measure sheet, concrete with its companions, and some faults.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from datetime import date
from decimal import Decimal

from projects.audit.engine import audit
from projects.audit.view import AuditPosition, BudgetView
from projects.parsers.bill import MeasureLine, PositionKind, Rounding

_ELEMENTS = (("274321", "m3"), ("274351", "m2"), ("274361", "t"), ("711111", "m2"), ("622131", "m2"), ("283765", "m2"))


def large_view(count: int) -> BudgetView:
    positions = [_position(index, count) for index in range(count)]
    return BudgetView(
        positions, currency="CZK", dialect="kros_xlsx", budget_on=date(2025, 9, 8), rounding=Rounding(is_stated=True)
    )


def _position(index: int, count: int) -> AuditPosition:
    family, unit = _ELEMENTS[index % len(_ELEMENTS)]
    quantity = Decimal(100 + index % 977) / 10
    price = Decimal(10_000 + index % 4999) / 100
    is_material = family == "283765"
    code = f"{family}{index % 89:02d}" if is_material else f"{family}{index % 799:03d}"
    total = (quantity * price).quantize(Decimal("0.01"))
    expression = f'"{index % 13}.NP" {index % 977 + 100}*(1,5+0,5)/20'
    return AuditPosition(
        key=str(index),
        ordinal=index + 1,
        number=str(index + 1),
        description=f"Základové pasy z betonu tř. C 25/30 XC{index % 4 + 1}, etapa {index}"
        if family == "274321"
        else f"Konstrukce číslo {index} podle projektu, včetně přesunu a pomocného materiálu",
        kind=PositionKind.MATERIAL if is_material else PositionKind.WORK,
        object_code=f"SO {index * 5 // count}",
        section_path=("HSV Práce a dodávky HSV", f"{index // 500} Oddíl"),
        code=code,
        price_system="CS ÚRS 2025 02",
        unit=unit,
        quantity=quantity,
        unit_price=price,
        total=total + 1 if index % 9973 == 0 else total,
        vat_rate=Decimal(21),
        measure=(MeasureLine(expression, "expression", None, "", True),) if index % 2 else (),
        content_hash=f"{index:064x}",
    )


def main(count: int) -> None:
    view = large_view(count)
    started, worked = time.perf_counter(), time.process_time()
    result = audit(view)
    passed, used = time.perf_counter() - started, time.process_time() - worked
    counts, hits = result.counts.as_dict(), result.hits_by_rule
    sys.stdout.write(f"{count} positions in {passed:.1f} s, {used:.1f} s of CPU: {counts} {hits}\n")
    view = large_view(count)
    profile = cProfile.Profile()
    profile.runcall(audit, view)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
