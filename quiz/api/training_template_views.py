"""Templates of training calls and the versions of their rubrics. Members read them; coaches and owners write."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.schema import problems
from accounts.pages import actor_of
from accounts.querysets import acting_organisation_id

from ..models import Rubric, TrainingTemplate
from ..services.training import presenting, starting, templates
from ..services.training.access import visible_template
from ..services.training.criteria import CriterionDraft
from ..services.training.grading import agreement
from ..training_exceptions import BadTemplate, RubricMissing
from . import training_serializers as shapes
from .attempt_views import UUID_REGEX

WRITES = {403: "`coaches_only`.", 404: "There is none, or it is not yours to see."}
INVALID = {400: "`invalid`: see `errors`; those of criteria are a list in their order."}
MEANWHILE = {409: "`edited_meanwhile`: `seen` is what it is now. `template_archived`."}
TEMPLATE = shapes.TemplateDetailSerializer


def drafts_from(criteria: list[dict[str, Any]]) -> list[CriterionDraft]:
    return [CriterionDraft(clause_ids=tuple(clauses), **told) for clauses, told in map(_parted, criteria)]


def _parted(told: dict[str, Any]) -> tuple[list[UUID], dict[str, Any]]:
    return told["clauses"], {name: value for name, value in told.items() if name != "clauses"}


def organisation_for(request: Request, told: UUID | None) -> UUID:
    """The one that is told, else the one that the asker acts for. Raises BadTemplate: they belong to none."""
    found = told or acting_organisation_id(actor_of(request))
    if found is None:
        message = "You belong to no organisation. Ask a colleague to invite you into theirs."
        raise BadTemplate(message, extra={"errors": {"organisation": [message]}})
    return found


class TemplateViewSet(viewsets.GenericViewSet[TrainingTemplate]):
    """Calls to practise, each with what it is judged by."""

    serializer_class = shapes.TemplateSerializer
    queryset = TrainingTemplate.objects.none()
    lookup_value_regex = UUID_REGEX
    filter_backends = ()

    @extend_schema(
        parameters=[
            OpenApiParameter("archived", bool, description="Those in the archive instead of those in use."),
            OpenApiParameter("search", str, description="Part of the name."),
        ],
        responses={200: shapes.TemplateSerializer(many=True)},
    )
    def list(self, request: Request) -> Response:
        """By name."""
        is_archived = request.query_params.get("archived", "").lower() in ("true", "1")
        rows = presenting.listed_templates(actor_of(request)).filter(archived_at__isnull=not is_archived)
        if words := request.query_params.get("search", "").strip():
            rows = rows.filter(name__icontains=words)
        page = cast(Any, self.paginate_queryset(cast(Any, rows.order_by("name", "id"))))
        told = shapes.TemplateSerializer([presenting.template_row(each) for each in page], many=True)
        return self.get_paginated_response(told.data)

    @extend_schema(request=shapes.NewTemplateSerializer, responses={201: TEMPLATE, **problems(INVALID | WRITES)})
    def create(self, request: Request) -> Response:
        """A new one, with the first version of its rubric where there are criteria."""
        form = shapes.NewTemplateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        template = templates.create_template(
            actor=actor_of(request),
            organisation_id=organisation_for(request, told.get("organisation")),
            name=told["name"],
            scenario=told["scenario"],
            persona=told["persona"],
            category_id=told["category"],
            criteria=drafts_from(told["criteria"]),
        )
        return self._told(request, template.pk, status=201)

    @extend_schema(request=shapes.ExampleTemplateSerializer, responses={201: TEMPLATE, **problems(INVALID | WRITES)})
    @action(detail=False, methods=["post"])
    def example(self, request: Request) -> Response:
        """One to begin with: a bid clarification call, judged by three behaviours and three qualities."""
        form = shapes.ExampleTemplateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        organisation_id = organisation_for(request, form.validated_data.get("organisation"))
        template = starting.example_template(organisation_id=organisation_id, actor=actor_of(request))
        return self._told(request, template.pk, status=201)

    @extend_schema(responses={200: TEMPLATE, **problems({404: WRITES[404]})})
    def retrieve(self, request: Request, pk: str) -> Response:
        """With the newest version of its rubric."""
        return self._told(request, UUID(pk))

    @extend_schema(
        request=shapes.ChangedTemplateSerializer,
        responses={200: TEMPLATE, **problems(INVALID | WRITES | MEANWHILE)},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, scenario, persona or category. What calls are judged by: `rubrics`."""
        form = shapes.ChangedTemplateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        seen = changes.pop("seen", None)
        if "category" in changes:
            changes["category_id"] = changes.pop("category")
        templates.edit_template(template_id=UUID(pk), actor=actor_of(request), changes=changes, seen=seen)
        return self._told(request, UUID(pk))

    @extend_schema(request=None, responses={200: TEMPLATE, **problems(WRITES)})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: str) -> Response:
        """It is assigned no more; its calls stay."""
        templates.archive_template(template_id=UUID(pk), actor=actor_of(request))
        return self._told(request, UUID(pk))

    @extend_schema(request=None, responses={200: TEMPLATE, **problems(WRITES)})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take it out of the archive."""
        templates.restore_template(template_id=UUID(pk), actor=actor_of(request))
        return self._told(request, UUID(pk))

    @extend_schema(
        operation_id="training_templates_rubrics_list",
        responses={200: shapes.RubricRowSerializer(many=True), **problems({404: WRITES[404]})},
    )
    @action(detail=True, methods=["get"])
    def rubrics(self, request: Request, pk: str) -> Response:
        """Its versions, the newest first, without their criteria."""
        template = visible_template(template_id=UUID(pk), user=actor_of(request))
        rows = template.rubrics.select_related("created_by").order_by("-number")
        page = cast(Any, self.paginate_queryset(cast(Any, rows)))
        told = [presenting.rubric_row(each) for each in page]
        return self.get_paginated_response(shapes.RubricRowSerializer(told, many=True).data)

    @extend_schema(
        request=shapes.NewRubricSerializer,
        responses={
            200: shapes.RubricSerializer, 201: shapes.RubricSerializer, **problems(INVALID | WRITES | MEANWHILE)
        },
    )  # fmt: skip
    @rubrics.mapping.post
    def write_rubric(self, request: Request, pk: str) -> Response:
        """The next version. 200: nothing differs from the newest one, which is told. Versions never change; calls that
        were graded keep theirs."""
        form = shapes.NewRubricSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        visible_template(template_id=UUID(pk), user=actor_of(request))
        before = templates.current_rubric(template_id=UUID(pk))
        rubric = templates.write_rubric(
            template_id=UUID(pk),
            criteria=drafts_from(told["criteria"]),
            actor=actor_of(request),
            note=told["note"],
            seen=told["seen"],
        )
        is_new = before is None or before.pk != rubric.pk
        out = shapes.RubricSerializer(presenting.rubric_out(rubric, actor_of(request)))
        return Response(out.data, status=201 if is_new else 200)

    @extend_schema(
        operation_id="training_templates_rubric_retrieve",
        parameters=[OpenApiParameter("number", int, OpenApiParameter.PATH)],
        responses={200: shapes.RubricSerializer, **problems({404: WRITES[404]})},
    )
    @action(detail=True, methods=["get"], url_path=r"rubrics/(?P<number>[0-9]{1,9})", url_name="rubric")
    def rubric(self, request: Request, pk: str, number: str) -> Response:
        """One version, with its criteria."""
        rows = Rubric.objects.visible_to(actor_of(request)).filter(template_id=UUID(pk), number=int(number))
        rubric = rows.select_related("created_by").first()
        if rubric is None:
            raise RubricMissing("There is no such version.")
        return Response(shapes.RubricSerializer(presenting.rubric_out(rubric, actor_of(request))).data)

    @extend_schema(responses={200: shapes.AgreementSerializer, **problems(WRITES)})
    @action(detail=True, methods=["get"])
    def agreement(self, request: Request, pk: str) -> Response:
        """How far rules, model and coaches agree, criterion by criterion: weighted kappa, with the number of calls."""
        told = agreement(template_id=UUID(pk), user=actor_of(request))
        return Response(shapes.AgreementSerializer(told).data)

    def _told(self, request: Request, template_id: UUID, status: int = 200) -> Response:
        told = presenting.template_view(template_id=template_id, user=actor_of(request))
        return Response(TEMPLATE(told).data, status=status)
