"""Shapes of demand's answers, for the schema; the services make them as they go out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

Shape = serializers.Serializer[Any]


class TypeTotalSerializer(Shape):
    entity_type = serializers.CharField()
    count = serializers.IntegerField()
    total_demand = serializers.FloatField()


class StatsSerializer(Shape):
    total_entities = serializers.IntegerField()
    total_queries = serializers.IntegerField()
    entities_with_demand = serializers.IntegerField()
    avg_demand_score = serializers.FloatField(help_text="Over entities that were ever asked for.")
    trending_entities = serializers.IntegerField(help_text="Over 7 days; counted up to 10,000.")
    needs_update = serializers.IntegerField()
    top_entity_types = TypeTotalSerializer(many=True)


class WantedSerializer(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    entity_type = serializers.CharField()
    demand_score = serializers.FloatField(help_text="Signals, each weighed by its age.")
    query_count = serializers.IntegerField()
    last_queried_at = serializers.DateTimeField()
    last_updated_at = serializers.DateTimeField()
    needs_update = serializers.BooleanField()


class TopSerializer(Shape):
    entities = WantedSerializer(many=True)
    total = serializers.IntegerField()
    limit = serializers.IntegerField()


class RisingSerializer(WantedSerializer):
    growth = serializers.FloatField(help_text="(current - previous) / sqrt(current + previous + 1)")
    current = serializers.IntegerField()
    previous = serializers.IntegerField()


class TrendingSerializer(Shape):
    trending = RisingSerializer(many=True)
    total = serializers.IntegerField()
    timeframe = serializers.CharField()


class CriteriaSerializer(Shape):
    min_demand_score = serializers.FloatField()
    days_since_update = serializers.IntegerField()


class StaleSerializer(Shape):
    stale_entities = WantedSerializer(many=True)
    total = serializers.IntegerField()
    criteria = CriteriaSerializer()


class DayCountSerializer(Shape):
    date = serializers.DateField()
    count = serializers.IntegerField()


class EntityDemandSerializer(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    entity_type = serializers.CharField()
    demand_score = serializers.FloatField()
    query_count = serializers.IntegerField()
    first_queried_at = serializers.DateTimeField(allow_null=True)
    last_queried_at = serializers.DateTimeField(allow_null=True)
    query_frequency = serializers.CharField(help_text="never, low, medium, high, very_high")
    trending = serializers.BooleanField()
    series = DayCountSerializer(many=True)


class OneEntitySerializer(Shape):
    entity = EntityDemandSerializer()


class AskedSerializer(Shape):
    query = serializers.CharField()
    asked = serializers.IntegerField()
    unanswered = serializers.IntegerField()
    last_asked_at = serializers.DateTimeField()


class QueriesSerializer(Shape):
    queries = AskedSerializer(many=True)
    days = serializers.IntegerField()
    unanswered_only = serializers.BooleanField()


class TogetherSerializer(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    entity_type = serializers.CharField()
    together = serializers.IntegerField()


class RelatedSerializer(Shape):
    related = TogetherSerializer(many=True)


class SpikeSerializer(Shape):
    id = serializers.UUIDField()
    name = serializers.CharField()
    entity_type = serializers.CharField()
    hour = serializers.DateTimeField()
    count = serializers.IntegerField()
    expected = serializers.FloatField()
    z = serializers.FloatField()


class SpikesSerializer(Shape):
    spikes = SpikeSerializer(many=True)
    total = serializers.IntegerField()
    hours = serializers.IntegerField()
