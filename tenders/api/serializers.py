"""Shapes of the tenders API. Money is decimal strings; times are ISO 8601 with a zone."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..models import Import, Rejection, Source, Tender, TenderRelease
from ..readers.headings import FIELDS
from ..services.paging import NEWEST, ORDERS
from ..services.searchfields import BANDS, DEADLINES, DECISIONS, HIDE, RELEVANCES

SEVERAL = "Several: repeated, or with commas between."


class SearchParametersSerializer(serializers.Serializer[Any]):
    """What the address of a search may hold; read by services.searchfields."""

    q = serializers.CharField(required=False, help_text='Beginnings of words, all of them; "a phrase"; -without.')
    cpv = serializers.CharField(required=False, help_text=f"Start of the main CPV code, 2 to 8 digits. {SEVERAL}")
    country = serializers.CharField(required=False, help_text=f"ISO 3166-1 alpha-2. {SEVERAL}")
    buyer = serializers.CharField(required=False, help_text='Words of the name, or the whole "name" in double quotes.')
    currency = serializers.CharField(required=False, help_text="ISO 4217: only values stated in it.")
    value_min = serializers.DecimalField(max_digits=18, decimal_places=2, required=False)
    value_max = serializers.DecimalField(max_digits=18, decimal_places=2, required=False)
    band = serializers.CharField(required=False, help_text=f"Of values: {', '.join(BANDS)}. {SEVERAL}")
    deadline = serializers.CharField(required=False, help_text=f"One of {', '.join(DEADLINES)}. {SEVERAL}")
    deadline_after = serializers.CharField(required=False, help_text="Date or time, ISO 8601.")
    deadline_before = serializers.CharField(required=False, help_text="Date (to its end) or time, ISO 8601.")
    published_after = serializers.CharField(required=False, help_text="Date or time, ISO 8601.")
    published_before = serializers.CharField(required=False, help_text="Date (to its end) or time, ISO 8601.")
    created_after = serializers.CharField(required=False, help_text="Came in here at this time or later.")
    relevance = serializers.CharField(required=False, help_text=f"One of {', '.join(RELEVANCES)}. {SEVERAL}")
    decision = serializers.CharField(required=False, help_text=f"One of {', '.join(DECISIONS)}. {SEVERAL}")
    source = serializers.CharField(required=False, help_text=f"Id of a source. {SEVERAL}")  # type: ignore[assignment]  # a name of the base, too
    status = serializers.CharField(required=False, help_text=f"OCDS tender status, such as active. {SEVERAL}")
    duplicates = serializers.ChoiceField(
        choices=[HIDE], required=False, help_text="Of tenders published more than once, only the earliest."
    )
    organisation = serializers.UUIDField(
        required=False, help_text="Whose assessments and decisions; by default your first organisation."
    )


class ListParametersSerializer(SearchParametersSerializer):
    ordering = serializers.ChoiceField(
        choices=list(ORDERS), required=False, default=NEWEST, help_text="By relevance, only assessed ones are listed."
    )
    cursor = serializers.CharField(required=False, help_text="As `next` of the page before has it.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=200, default=50)


class TenderSerializer(serializers.ModelSerializer[Tender]):
    ocid = serializers.CharField(source="key", read_only=True)
    source_id = serializers.UUIDField(read_only=True)
    source_name = serializers.CharField(source="source.name", read_only=True)
    relevance = serializers.CharField(read_only=True, allow_null=True, help_text="null: not assessed.")
    relevance_score = serializers.FloatField(read_only=True, allow_null=True, help_text="0 to 1")
    summary = serializers.CharField(read_only=True, allow_null=True)
    keywords = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    decision = serializers.CharField(read_only=True, allow_null=True, help_text="watch, bid or no_bid.")

    class Meta:
        model = Tender
        fields = [
            "id", "ocid", "source_id", "source_name", "title", "language", "country", "buyer_name", "status",
            "procedure", "category", "cpv_main", "value_amount", "value_currency", "published_at", "deadline_at",
            "url", "flags", "releases_count", "created_at", "changed_at", "relevance", "relevance_score", "summary",
            "keywords", "decision",
        ]  # fmt: skip
        read_only_fields = fields


class TenderListSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True, help_text="Address of the page that follows.")
    results = TenderSerializer(many=True)


class ReleaseSerializer(serializers.ModelSerializer[TenderRelease]):
    date = serializers.CharField(source="date_stated", read_only=True, help_text="As the publisher stated it.")

    class Meta:
        model = TenderRelease
        fields = ["release_id", "date", "published_at", "tags", "received_at"]
        read_only_fields = fields


class RawReleaseSerializer(ReleaseSerializer):
    raw = serializers.JSONField(read_only=True, help_text="As received.")

    class Meta(ReleaseSerializer.Meta):
        fields = [*ReleaseSerializer.Meta.fields, "raw"]
        read_only_fields = fields


class TenderDetailSerializer(TenderSerializer):
    releases = serializers.SerializerMethodField(help_text="Oldest first; at most 200, see /releases/ for all.")

    class Meta(TenderSerializer.Meta):
        fields = [
            *TenderSerializer.Meta.fields, "description", "buyer_id", "cpv_codes", "unspsc_codes", "regions",
            "documents", "lots", "releases",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ReleaseSerializer(many=True))
    def get_releases(self, tender: Tender) -> Any:
        return ReleaseSerializer(tender.releases.defer("raw")[:200], many=True).data


class FacetValueSerializer(serializers.Serializer[Any]):
    value = serializers.CharField(help_text="What the parameter of the facet's name takes.")
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Of all hits.")
    is_exact = serializers.BooleanField(help_text="false: count and counts are estimates, to two digits.")
    country = FacetValueSerializer(many=True)
    cpv = FacetValueSerializer(many=True, help_text="By division: two digits.")
    relevance = FacetValueSerializer(many=True)
    decision = FacetValueSerializer(many=True)
    buyer = FacetValueSerializer(many=True, help_text="The twenty with most.")
    status = FacetValueSerializer(many=True)
    deadline = FacetValueSerializer(many=True)
    band = FacetValueSerializer(many=True, help_text="By value, in the currency of each.")


class MappingField(serializers.DictField):
    """Field of a notice: heading of the column."""

    child = serializers.CharField(max_length=200)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if unknown := [name for name in found if name not in FIELDS]:
            raise serializers.ValidationError(f"{unknown[0]!r} is none of {', '.join(FIELDS)}.")
        return found


class SourceSerializer(serializers.ModelSerializer[Source]):
    organisation_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="null: shared with everybody. By default your first one."
    )
    is_shared = serializers.BooleanField(
        required=False, write_only=True, default=False, help_text="Staff only: everybody sees its tenders."
    )
    mapping = MappingField(required=False, help_text=f"Of a table: column headings by {', '.join(FIELDS)}.")
    country = serializers.RegexField("^([A-Za-z]{2})?\\Z", required=False, allow_blank=True)

    class Meta:
        model = Source
        fields = [
            "id", "name", "kind", "location", "country", "mapping", "is_scheduled", "organisation_id", "is_shared",
            "last_run_at", "created_at",
        ]  # fmt: skip
        read_only_fields = ["id", "last_run_at", "created_at"]

    def validate_country(self, value: str) -> str:
        return value.upper()


class ImportSerializer(serializers.ModelSerializer[Import]):
    """`fetched` = `created` + `updated` + `unchanged` + `rejected`."""

    source_id = serializers.UUIDField(read_only=True)
    source_name = serializers.CharField(source="source.name", read_only=True)

    class Meta:
        model = Import
        fields = [
            "id", "source_id", "source_name", "status", "filename", "sha256", "format", "job_id", "fetched", "created",
            "updated", "unchanged", "rejected", "seconds", "quality", "error", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class RejectionSerializer(serializers.ModelSerializer[Rejection]):
    class Meta:
        model = Rejection
        fields = ["id", "number", "offset", "reason", "raw", "mended_at", "created_at"]
        read_only_fields = fields


class MendedSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(trim_whitespace=False, help_text="The whole record: JSON, XML, or CSV with headings.")


class MappingInFormField(serializers.JSONField):
    """In a form it comes as text, which may nest without end."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            found = super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")
        return MappingField().run_validation(found)


class UploadNoticesSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="OCDS JSON or JSON lines, eForms XML, CSV, xlsx; packed with gzip or not.")
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=120, help_text="Id of a source, or a name among your organisation's; made if new."
    )
    mapping = MappingInFormField(required=False, help_text="Of a table, as JSON: field to column heading.")


class ImportStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(allow_null=True)
    import_id = serializers.UUIDField()
    source_id = serializers.UUIDField()


class SyncStartedSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField()
    status = serializers.CharField()
    estimated_seconds = serializers.FloatField(allow_null=True)
