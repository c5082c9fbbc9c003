"""Filters of the projects API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters as filters
from django.db.models import QuerySet

from ..models import BuildingElement, Document, Finding, Position, Project
from ..models.findings import FindingGrade, Grade, Role
from ..querysets import SORTS, PositionQuerySet


class ProjectFilter(filters.FilterSet):
    search = filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")

    class Meta:
        model = Project
        fields = ["status", "search"]


class DocumentFilter(filters.FilterSet):
    class Meta:
        model = Document
        fields = ["kind", "parse_status"]


class PositionFilter(filters.FilterSet):
    grade = filters.ChoiceFilter(choices=Grade.choices, method="by_grade", label="Grade of the position")
    role = filters.ChoiceFilter(choices=Role.choices, method="by_role", label="Role that raised amber or red")
    rule = filters.CharFilter(method="by_rule", label="Rule with a finding, such as C02")
    section = filters.CharFilter(method="by_section", label="Section path; its subsections too")
    object = filters.CharFilter(field_name="object_code", label="Building object")
    search = filters.CharFilter(method="by_text", label="Words in number, code, description")
    sort = filters.ChoiceFilter(choices=[(name, name) for name in SORTS], method="by_sort", label="Order")

    class Meta:
        model = Position
        fields = ["grade", "role", "rule", "section", "object", "search", "sort"]

    def by_grade(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        return queryset.graded(value)

    def by_role(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        return queryset.flagged_by(value)

    def by_rule(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        return queryset.with_findings_of(value.upper())

    def by_section(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        return queryset.in_section(value)

    def by_text(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        return queryset.matching(value)

    def by_sort(self, queryset: PositionQuerySet, name: str, value: str) -> PositionQuerySet:
        view = self.request.parser_context["view"]
        return queryset.sorted_by(value, is_audited=view.all_have_verdicts)


class FindingFilter(filters.FilterSet):
    grade = filters.ChoiceFilter(choices=FindingGrade.choices)
    open = filters.BooleanFilter(method="only_open", label="Without the overridden ones")

    class Meta:
        model = Finding
        fields = ["grade", "role", "rule_id", "open"]

    def only_open(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.open() if value else queryset


class ElementFilter(filters.FilterSet):
    ifc_class = filters.CharFilter(field_name="ifc_class", label="IFC class, such as IfcWall")
    storey = filters.CharFilter(field_name="storey", label="Name of the storey")
    position = filters.UUIDFilter(method="by_position", label="Lineage of a position made from it")

    class Meta:
        model = BuildingElement
        fields = ["ifc_class", "storey", "position"]

    def by_position(self, rows: QuerySet[BuildingElement], name: str, value: UUID) -> QuerySet[BuildingElement]:
        return rows.filter(positions__contains=[str(value)])
