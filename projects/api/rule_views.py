"""The API of the audit's rules: what they are and go by for an organisation, and its own thresholds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.pages import actor_of
from config.api.throttles import throttle_scope

from ..audit.thresholds import TABLE
from ..exceptions import Refused
from ..models import ThresholdSetting
from ..services.rule_overview import ShownRule, shown_rules
from ..services.thresholds import audit_again, member_organisation, set_threshold, withdraw_threshold

PROBLEM = OpenApiResponse(description="Problem details (RFC 9457) with a stable `code`.")
ORGANISATION = OpenApiParameter(
    "organisation", OpenApiTypes.UUID, description="Of which organisation; without it, the one you act for."
)


class ThresholdSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text='Rule and name: "C02.spread".')
    value = serializers.DecimalField(18, 6, coerce_to_string=True, help_text="What audits go by.")
    default = serializers.DecimalField(18, 6, coerce_to_string=True)
    low = serializers.DecimalField(18, 6, coerce_to_string=True)
    high = serializers.DecimalField(18, 6, coerce_to_string=True)
    unit = serializers.CharField()
    meaning = serializers.CharField()
    is_own = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why the organisation has a value of its own.")
    changed_at = serializers.DateTimeField(allow_null=True)


class RulePrecisionSerializer(serializers.Serializer[Any]):
    share = serializers.DecimalField(5, 4, help_text="Of the findings decided on, those accepted; not smoothed.")
    judged = serializers.IntegerField()
    is_measured = serializers.BooleanField(help_text="Whether there are enough decisions for audits to use it.")


class AuditRuleSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    version = serializers.IntegerField()
    role = serializers.CharField()
    title = serializers.CharField()
    origin = serializers.CharField(help_text="Where the rule is from: a standard and its clause, or a custom.")
    needs = serializers.CharField(help_text="A reference without which it can't run.")
    thresholds = ThresholdSerializer(many=True)
    precision = RulePrecisionSerializer(allow_null=True)


class OwnThresholdSerializer(serializers.Serializer[Any]):
    value = serializers.DecimalField(18, 6)
    reason = serializers.CharField(max_length=1000)


class AuditedAgainSerializer(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(help_text="Of the batch.")
    projects = serializers.IntegerField()


def organisation_named(request: Request) -> UUID | None:
    text = request.query_params.get("organisation", "")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Refused("`organisation` must be an id.", code="bad_organisation") from error


def _threshold(name: str, setting: ThresholdSetting | None) -> dict[str, Any]:
    row = TABLE[name]
    return {
        "name": name,
        "value": setting.value.normalize() if setting else row.value,
        "default": row.value,
        "low": row.low,
        "high": row.high,
        "unit": row.unit,
        "meaning": row.words,
        "is_own": setting is not None,
        "reason": setting.reason if setting else "",
        "changed_at": setting.changed_at if setting else None,
    }


def _rule(shown: ShownRule) -> dict[str, Any]:
    rule, precision = shown.rule, shown.precision
    return {
        "id": rule.id,
        "version": rule.version,
        "role": rule.role.value,
        "title": rule.title,
        "origin": rule.source,
        "needs": rule.needs,
        "thresholds": [_threshold(one.name, one.setting) for one in shown.thresholds],
        "precision": precision
        and {"share": precision.share, "judged": precision.judged, "is_measured": shown.is_measured},
    }


class RulesView(APIView):
    @extend_schema(
        operation_id="rules_list",
        parameters=[ORGANISATION],
        responses={200: AuditRuleSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Every rule with the organisation's thresholds and measured precision."""
        organisation, _ = member_organisation(user=actor_of(request), organisation_id=organisation_named(request))
        return Response(AuditRuleSerializer([_rule(one) for one in shown_rules(organisation)], many=True).data)


class ThresholdsView(APIView):
    @extend_schema(
        operation_id="thresholds_list",
        parameters=[ORGANISATION],
        responses={200: ThresholdSerializer(many=True), 404: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Every threshold with its bounds, and the organisation's own values."""
        organisation, _ = member_organisation(user=actor_of(request), organisation_id=organisation_named(request))
        own = {row.name: row for row in ThresholdSetting.objects.filter(organisation=organisation)}
        rows = [_threshold(name, own.get(name)) for name in TABLE]
        return Response(ThresholdSerializer(rows, many=True).data)


class ThresholdView(APIView):
    @extend_schema(
        operation_id="threshold_set",
        parameters=[ORGANISATION],
        request=OwnThresholdSerializer,
        responses={200: ThresholdSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    def put(self, request: Request, name: str) -> Response:
        """Set a value of the organisation's own, with the reason. Budgets audited before stay as they are."""
        serializer = OwnThresholdSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        setting = set_threshold(
            name=name,
            value=values["value"],
            reason=values["reason"],
            actor=actor_of(request),
            organisation_id=organisation_named(request),
        )
        return Response(ThresholdSerializer(_threshold(name, setting)).data)

    @extend_schema(
        operation_id="threshold_withdraw",
        parameters=[ORGANISATION],
        request=None,
        responses={204: None, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    def delete(self, request: Request, name: str) -> Response:
        """Back to the value of the table."""
        withdraw_threshold(name=name, actor=actor_of(request), organisation_id=organisation_named(request))
        return Response(status=204)


class AuditAgainView(APIView):
    @extend_schema(
        operation_id="rules_audit_again",
        parameters=[ORGANISATION],
        request=None,
        responses={202: AuditedAgainSerializer, 400: PROBLEM, 403: PROBLEM, 404: PROBLEM},
    )
    @throttle_scope("expensive")
    def post(self, request: Request) -> Response:
        """Queue audits of all of the organisation's budgets, as one batch."""
        batch, number = audit_again(actor=actor_of(request), organisation_id=organisation_named(request))
        return Response(AuditedAgainSerializer({"job_id": batch.pk, "projects": number}).data, status=202)
