"""What the projects API says of two versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MONEY: dict[str, Any] = {"max_digits": 18, "decimal_places": 2}


class EffectsSerializer(serializers.Serializer[Any]):
    """`cost` = quantity + price + scope + rounding, exactly."""

    counts = serializers.DictField(child=serializers.IntegerField(), help_text="added, removed, modified")
    cost = serializers.DecimalField(**MONEY)
    quantity = serializers.DecimalField(**MONEY)
    price = serializers.DecimalField(**MONEY)
    scope = serializers.DecimalField(**MONEY)
    rounding = serializers.DecimalField(**MONEY)
    changes = serializers.ListField(
        child=serializers.DictField(),
        help_text="Those that move most money, at most 200: lineage, change, number, description, before, after",
    )


class BarSerializer(serializers.Serializer[Any]):
    """One bar of a waterfall: it begins where the last one ended."""

    label = serializers.CharField()  # type: ignore[assignment]  # a member that is called as DRF calls another thing
    to = serializers.CharField()
    kind = serializers.CharField(help_text="total, up, down or same")
    delta = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["from"] = serializers.CharField()  # a word of Python: it can't be an attribute
        return fields


class ComparisonSerializer(serializers.Serializer[Any]):
    old = serializers.IntegerField()
    new = serializers.IntegerField()
    currency = serializers.SerializerMethodField()
    before = serializers.DecimalField(**MONEY)
    after = serializers.DecimalField(**MONEY)
    delta = EffectsSerializer()
    bars = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField())
    def get_currency(self, compared: Any) -> str:
        return str(self.context.get("currency", ""))

    @extend_schema_field(BarSerializer(many=True))
    def get_bars(self, compared: Any) -> list[dict[str, str]]:
        bars: list[dict[str, str]] = compared.waterfall()
        return bars
