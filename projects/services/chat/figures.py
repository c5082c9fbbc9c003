"""Answers that are computed: each by SQL over the current version, with what was computed and how."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import F, Sum

from ...models import Position, Project
from ...querysets import PositionQuerySet
from . import figures_audit, figures_history
from .phrases import money, number, say, words
from .reply import COMPUTED, Reply, Table, cite_position, cite_section, file_names
from .scope import Scope, narrowed, not_alone, not_found, position_or_reply
from .targets import Node, live, nodes_of, sections_named
from .understanding import Intent

LISTED = 20
SUMMED = "sum of the totals of positions that count (alternatives and optional ones are left out)"


def reply_to(*, project: Project, intent: Intent, language: str) -> Reply:
    """The answer, cited; of an empty project that it is empty."""
    if project.version_number == 0 and intent.name != "documents":
        return Reply(say(language, "empty"), COMPUTED, how="no version yet", intent=intent.as_json())
    readers = {
        "total": _total, "section": _section, "sections": _sections, "dearest": _dearest, "count": _count,
        "missing": _missing, "code": _code, "position": _position,
        "findings": figures_audit.findings, "rule": figures_audit.rule, "why": figures_audit.why,
        "changes": figures_history.changes, "documents": figures_history.documents,
    }  # fmt: skip
    reply = readers[intent.name](project, intent, language)
    how = f"{reply.how}; version {project.version_number}" if reply.how and intent.name != "changes" else reply.how
    return replace(reply, how=how, intent=intent.as_json(), confidence=Decimal(1) if reply.source == COMPUTED else None)


def counted_sum(rows: PositionQuerySet) -> Decimal:
    counting = rows.exclude(billing__in=Position.UNCOUNTED_BILLINGS)
    return Decimal(counting.aggregate(sum=Sum("total", default=Decimal(0)))["sum"])


def share(part: Decimal, whole: Decimal, language: str) -> str:
    return number(language, (100 * part / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None, digits=1)


def listing(rows: list[Position], language: str, currency: str) -> Table:
    cells = [
        [
            row.number,
            row.description[:160],
            " ".join(filter(None, (number(language, row.quantity), row.unit))),
            money(language, row.unit_price),
            money(language, row.total, currency),
        ]
        for row in rows
    ]
    return Table(words(language, "Number", "Description", "Quantity", "Unit price", "Total"), cells, [2, 3, 4])


def listed(text: str, rows: list[Position], language: str, project: Project, how: str) -> Reply:
    names = file_names(rows)
    citations = [cite_position(row, names.get(row.document_id, "") if row.document_id else "") for row in rows]
    table = listing(rows, language, project.currency) if rows else None
    return Reply(text, COMPUTED, citations, how, table)


def _total(project: Project, intent: Intent, language: str) -> Reply:
    if intent.words:
        scope = narrowed(project, intent, language)
        assert isinstance(scope, Scope)
        total, count = counted_sum(scope.rows), scope.rows.count()
        text = say(language, "words_sum", count=number(language, count), words=scope.said_words,
                   total=money(language, total, project.currency))  # fmt: skip
        rows = list(scope.rows.order_by("-total", "ordinal")[:LISTED])
        return listed(text, rows, language, project, f"{SUMMED}{scope.how}; the dearest {len(rows)} are listed")
    text = say(
        language, "total", total=money(language, project.total_cost, project.currency),
        count=number(language, project.total_positions), version=project.version_number,
    )  # fmt: skip
    citation = figures_history.cited_version(project, project.version_number)
    return Reply(text, COMPUTED, citation, SUMMED)


def _section(project: Project, intent: Intent, language: str) -> Reply:
    nodes = nodes_of(project.pk)
    found = sections_named(nodes, intent.section)
    if not found:
        return not_found(nodes, intent.section, language)
    if len(found) > 1:
        text = say(language, "several", count=len(found))
        return _nodes(project, found, text, language)
    node = found[0]
    text = say(
        language, "section", label=node.label, total=money(language, node.cost, project.currency),
        count=number(language, node.positions), share=share(node.cost, project.total_cost, language),
    )  # fmt: skip
    below = [each for each in nodes if each.object_code == node.object_code and _is_child(each, node)]
    reply = _nodes(project, below, text, language) if below else Reply(text, COMPUTED, how=SUMMED)
    own = cite_section(project, node.object_code, node.section, node.label)
    return replace(reply, citations=[own, *reply.citations], how=f"{SUMMED}, in “{node.path}” and below")


def _is_child(node: Node, parent: Node) -> bool:
    """Directly below."""
    rest = node.section.removeprefix(parent.section).removeprefix(" › ") if parent.section else node.section
    return node.section != parent.section and node.section.startswith(parent.section) and " › " not in rest


def _sections(project: Project, intent: Intent, language: str) -> Reply:
    nodes = nodes_of(project.pk)
    has_objects = len({node.object_code for node in nodes}) > 1
    tops = [
        node for node in nodes if (" › " not in node.section and node.section) or (has_objects and not node.section)
    ]
    if len(tops) == 1:  # one that holds everything says nothing
        tops = [node for node in nodes if _is_child(node, tops[0])] or tops
    if intent.field == "cost":
        tops = sorted((node for node in tops if node.section or not has_objects), key=lambda node: -node.cost)
        tops = tops[: intent.number or LISTED]
    return _nodes(project, tops, say(language, "sections"), language)


def _nodes(project: Project, nodes: list[Node], text: str, language: str) -> Reply:
    rows = [
        [
            node.path if node.section else node.label,
            number(language, node.positions),
            money(language, node.cost, project.currency),
            share(node.cost, project.total_cost, language),
        ]
        for node in nodes[:100]
    ]
    table = Table(
        [
            *words(language, "Section", "Positions", "Total", "Share"),
        ][:4],
        rows,
        [1, 2, 3],
    )
    citations = [cite_section(project, node.object_code, node.section, node.label) for node in nodes[:LISTED]]
    return Reply(text, COMPUTED, citations, SUMMED, table)


def _dearest(project: Project, intent: Intent, language: str) -> Reply:
    scope = narrowed(project, intent, language)
    if isinstance(scope, Reply):
        return scope
    is_unit = intent.field == "unit_price"
    counting = scope.rows.exclude(billing__in=Position.UNCOUNTED_BILLINGS)
    order = F("unit_price").desc(nulls_last=True) if is_unit else F("total").desc()
    rows = list(counting.order_by(order, "ordinal")[: intent.number or 5])
    together = share(sum((row.total for row in rows), Decimal(0)), project.total_cost, language)
    key = "dearest_unit" if is_unit else "dearest"
    text = say(language, key, count=len(rows), where=scope.where, share=together)
    how = f"counting positions{scope.how}, sorted by {'unit price' if is_unit else 'total'}, the first {len(rows)}"
    return listed(text, rows, language, project, how)


def _count(project: Project, intent: Intent, language: str) -> Reply:
    scope = narrowed(project, intent, language)
    if isinstance(scope, Reply):
        return scope
    rows = scope.rows
    where, how = scope.where, scope.how
    if intent.grade:
        if not project.is_audited:
            return Reply(say(language, "not_audited"), COMPUTED, how="verdicts of the newest audit")
        rows = rows.graded(intent.grade)
        where, how = f" ({words(language, intent.grade)[0]}){where}", f"{how} with the grade {intent.grade}"
    text = say(language, "count", count=number(language, rows.count()), where=where)
    return Reply(text, COMPUTED, scope.citations(project), f"count of current positions{how}")


def _missing(project: Project, intent: Intent, language: str) -> Reply:
    scope = narrowed(project, intent, language)
    if isinstance(scope, Reply):
        return scope
    rows = scope.rows.exclude(kind=Position.Kind.NOTE).filter(**{f"{intent.field}__isnull": True}).order_by("ordinal")
    key = "missing_price" if intent.field == "unit_price" else "missing_quantity"
    text = say(language, key, count=number(language, rows.count()), where=scope.where)
    how = f"current positions{scope.how} that are no notes and have no {intent.field.replace('_', ' ')}"
    return listed(text, list(rows[:LISTED]), language, project, how)


def _code(project: Project, intent: Intent, language: str) -> Reply:
    rows = live(project.pk).filter(code__iexact=intent.target).order_by("ordinal")
    how = f"current positions whose code is {intent.target}"
    if not rows.exists():
        rows = live(project.pk).filter(code__istartswith=intent.target).order_by("ordinal")
        how = f"current positions whose code begins with {intent.target}"
    if not rows.exists():
        return Reply(say(language, "no_code", code=intent.target), COMPUTED, how=how)
    units = set(rows.order_by().values_list("unit", flat=True).distinct()[:2])
    quantity = rows.aggregate(sum=Sum("quantity"))["sum"] if len(units) == 1 else None
    told = " ".join(filter(None, (number(language, quantity), units.pop() if quantity is not None else "")))
    text = say(
        language, "code", count=number(language, rows.count()), code=intent.target, quantity=told,
        total=money(language, counted_sum(rows), project.currency),
    )  # fmt: skip
    return listed(text, list(rows[:LISTED]), language, project, how)


def _position(project: Project, intent: Intent, language: str) -> Reply:
    row = position_or_reply(project, intent.target, language)
    if isinstance(row, Reply):
        return row
    if isinstance(row, list):
        return not_alone(project, row, intent.target, language)
    text = say(
        language, "position", number=row.number, description=row.description[:300],
        quantity=number(language, row.quantity), unit=row.unit or "", price=money(language, row.unit_price),
        total=money(language, row.total, project.currency),
    )  # fmt: skip
    reply = listed(text, [row], language, project, f"the current position “{intent.target}”")
    return replace(reply, table=None)
