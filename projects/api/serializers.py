"""Shapes of the projects API. Money, quantities and confidence are decimal strings."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..models import AuditRun, BudgetVersion, Document, Finding, FindingOverride, Position, Project, Verdict
from ..services.editing import LARGEST

GRADES = ("green", "amber", "red", "not_checked")


class CountsSerializer(serializers.Serializer[Any]):
    green = serializers.IntegerField()
    amber = serializers.IntegerField()
    red = serializers.IntegerField()
    not_checked = serializers.IntegerField()


class ProjectSerializer(serializers.ModelSerializer[Project]):
    organisation_id = serializers.UUIDField(required=False, help_text="By default your first organisation.")
    currency = serializers.RegexField("^([A-Za-z]{3})?\\Z", required=False, allow_blank=True, help_text="ISO 4217")
    counts = serializers.SerializerMethodField(help_text="Positions by grade.")
    version = serializers.IntegerField(source="version_number", read_only=True, help_text="0: no bill yet.")
    is_audited = serializers.BooleanField(read_only=True, help_text="Whether the grades are of the current version.")

    class Meta:
        model = Project
        fields = [
            "id", "name", "description", "workflow", "status", "currency", "budget_on", "organisation_id", "version",
            "is_audited", "total_positions", "total_cost", "counts", "money_at_stake", "created_at", "updated_at",
            "completed_at",
        ]  # fmt: skip
        read_only_fields = [
            "id", "status", "total_positions", "total_cost", "money_at_stake", "created_at", "updated_at",
            "completed_at",
        ]  # fmt: skip

    @extend_schema_field(CountsSerializer)
    def get_counts(self, project: Project) -> dict[str, int]:
        return {grade: getattr(project, f"count_{grade}") for grade in GRADES}


class DocumentSerializer(serializers.ModelSerializer[Document]):
    warnings = serializers.SerializerMethodField()
    detection = serializers.SerializerMethodField(help_text="Dialect, score and reasons; every candidate, best first.")
    preview = serializers.SerializerMethodField(help_text="How many positions, their total, the first twelve.")
    dialect = serializers.CharField(source="parser", read_only=True)

    class Meta:
        model = Document
        fields = [
            "id", "original_filename", "kind", "file_type", "mime_type", "size", "sha256", "dialect", "parser_score",
            "parse_status", "parse_error", "parse_error_code", "warnings", "detection", "preview", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DictField())
    def get_detection(self, document: Document) -> dict[str, Any]:
        return dict(document.extracted_data.get("detection") or {})

    @extend_schema_field(serializers.DictField())
    def get_preview(self, document: Document) -> dict[str, Any]:
        return dict(document.extracted_data.get("preview") or {})

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_warnings(self, document: Document) -> list[str]:
        return list(document.extracted_data.get("warnings", []))


class MappingField(serializers.JSONField):
    """In a form it comes as text, which may nest without end."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")


class ReadingOptionsSerializer(serializers.Serializer[Any]):
    mapping = MappingField(required=False, help_text="Columns of a plain table; see the dialects page.")
    replaces = serializers.UUIDField(required=False, help_text="The document whose positions this one supersedes.")
    accept_difference = serializers.BooleanField(
        required=False, help_text="Import although the file's own grand total does not reconcile."
    )
    dialect = serializers.CharField(
        required=False, max_length=30, help_text="Read the file as this dialect, whatever its content looks like."
    )
    preview_only = serializers.BooleanField(
        required=False, help_text="Read it and show what is in it (`preview`), without putting it into the budget."
    )


class UploadSerializer(ReadingOptionsSerializer):
    file = serializers.FileField(help_text="The bill as it came; the dialect is found by content.")
    kind = serializers.ChoiceField(choices=Document.Kind.choices, default=Document.Kind.BILL)


class JobStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(
        allow_null=True, help_text="From the history of such jobs; null while there is none."
    )


class UploadedSerializer(serializers.Serializer[Any]):
    document = DocumentSerializer()
    is_new = serializers.BooleanField()
    job = JobStartedSerializer(allow_null=True)


class VersionSerializer(serializers.ModelSerializer[BudgetVersion]):
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = BudgetVersion
        fields = [
            "number", "trigger", "trigger_details", "created_by", "created_at", "total_positions", "total_cost",
            "delta_cost", "delta_quantity", "delta_price", "delta_scope", "delta_rounding", "summary",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_created_by(self, version: BudgetVersion) -> str | None:
        return str(version.created_by) if version.created_by else None


class VersionDetailSerializer(VersionSerializer):
    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "changes"]
        read_only_fields = fields


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    class Meta:
        model = Verdict
        fields = ["grade", "confidence", "money_at_stake", "roles", "not_checked", "version_number"]
        read_only_fields = fields


class PositionSerializer(serializers.ModelSerializer[Position]):
    """`id` is the row an editor has seen; `lineage` is the position through all versions."""

    verdict = serializers.SerializerMethodField(help_text="null: not audited yet.")

    class Meta:
        model = Position
        fields = [
            "id", "lineage", "number", "object_code", "object_name", "section", "code", "catalogue", "price_system",
            "kind", "billing", "description", "unit", "quantity", "quantity_reason", "unit_price", "stated_total",
            "total", "vat_rate", "category", "origin", "source", "document_id", "added_in", "removed_in", "verdict",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_verdict(self, position: Position) -> Any:
        verdict = getattr(position, "verdict", None)
        return VerdictSerializer(verdict).data if verdict else None


class OverrideSerializer(serializers.ModelSerializer[FindingOverride]):
    by = serializers.SerializerMethodField()

    class Meta:
        model = FindingOverride
        fields = ["decision", "reason", "by", "at"]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_by(self, override: FindingOverride) -> str | None:
        return str(override.by) if override.by else None


class FindingSerializer(serializers.ModelSerializer[Finding]):
    override = OverrideSerializer(read_only=True, allow_null=True)
    lineage = serializers.UUIDField(source="position.lineage", read_only=True, allow_null=True, default=None)
    number = serializers.CharField(source="position.number", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Finding
        fields = [
            "id", "lineage", "number", "version_number", "role", "rule_id", "rule_version", "grade", "confidence",
            "reasoning", "evidence", "money_at_stake", "suggestion", "conflicts_with", "resolution", "override",
        ]  # fmt: skip
        read_only_fields = fields


class PositionDetailSerializer(PositionSerializer):
    findings = FindingSerializer(many=True, read_only=True)

    class Meta(PositionSerializer.Meta):
        fields = [*PositionSerializer.Meta.fields, "long_text", "measure", "findings"]
        read_only_fields = fields


class AuditRunSerializer(serializers.ModelSerializer[AuditRun]):
    class Meta:
        model = AuditRun
        fields = [
            "id", "version_number", "started_at", "finished_at", "positions", "counts", "money_at_stake", "rules",
            "rule_hits", "not_checked_rules", "thresholds", "inputs_sha256",
        ]  # fmt: skip
        read_only_fields = fields


def figure(name: str, **options: Any) -> serializers.DecimalField:
    digits = len(str(int(LARGEST[name]))) + 3
    return serializers.DecimalField(
        max_digits=digits, decimal_places=4, max_value=LARGEST[name], allow_null=True, required=False, **options
    )


class PositionFieldsSerializer(serializers.Serializer[Any]):
    """What of a position can be written; each field optional."""

    number = serializers.CharField(max_length=60, required=False)
    code = serializers.CharField(max_length=60, required=False, allow_blank=True)
    description = serializers.CharField(max_length=10_000, required=False)
    unit = serializers.CharField(max_length=40, required=False, allow_null=True)
    quantity = figure("quantity")
    unit_price = figure("unit_price")
    kind = serializers.ChoiceField(choices=Position.Kind.choices, required=False)
    billing = serializers.ChoiceField(choices=Position.Billing.choices, required=False)
    category = serializers.CharField(max_length=60, required=False, allow_blank=True)


class PositionEditSerializer(PositionFieldsSerializer):
    seen = serializers.IntegerField(help_text="The `id` of the row you changed: another edit meanwhile gives 409.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class PositionNewSerializer(PositionFieldsSerializer):
    description = serializers.CharField(max_length=10_000)
    object_code = serializers.CharField(max_length=80, required=False, allow_blank=True)
    object_name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    section = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class OverrideRequestSerializer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(
        choices=FindingOverride.Decision.choices, default=FindingOverride.Decision.OVERRIDDEN
    )
    reason = serializers.CharField(max_length=2000)
