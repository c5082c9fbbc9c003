"""What the API of training calls takes and gives: templates, rubrics, assignments. Calls: training_session_shapes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..models import Criterion, SessionGrade
from ..services.training.assigning import MOST_AT_ONCE
from .serializers import NamedSerializer


class TrainingPersonSerializer(serializers.Serializer[Any]):
    """Of a user, or of `{id, name}`."""

    id = serializers.UUIDField()
    name = serializers.SerializerMethodField()

    def get_name(self, person: Any) -> str:
        return str(person["name"] if isinstance(person, dict) else person)


class LevelSerializer(serializers.Serializer[Any]):
    score = serializers.IntegerField(min_value=0, max_value=100)
    name = serializers.CharField(max_length=60)
    description = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)


class RubricClauseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    title = serializers.CharField()
    edition = serializers.CharField()


class CriterionSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="The same in all versions.")
    name = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=Criterion.Kind.choices)
    weight = serializers.IntegerField()
    rule = serializers.DictField(help_text="Of a behaviour: what is measured, and what is good.")
    levels = LevelSerializer(many=True)
    clauses = RubricClauseSerializer(many=True, help_text="Those that you may see.")


class NewCriterionSerializer(serializers.Serializer[Any]):
    """What a criterion may be is decided with the whole rubric: `errors.criteria` has one entry for each."""

    key = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="Empty: that of the same name, or a new one."
    )
    name = serializers.CharField()
    description = serializers.CharField(required=False, default="", allow_blank=True)
    kind = serializers.ChoiceField(choices=Criterion.Kind.choices)
    weight = serializers.IntegerField(required=False, default=1, help_text="1 to 100.")
    rule = serializers.DictField(required=False, default=dict, help_text="Of a behaviour; docs: training, Rules.")
    levels = LevelSerializer(many=True, required=False, default=list, help_text="Of a quality, ascending; or none.")
    clauses = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, help_text="To be read again after a weak score."
    )


class NewRubricSerializer(serializers.Serializer[Any]):
    criteria = NewCriterionSerializer(many=True)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    seen = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0,
        help_text="Number of the version that was edited: 409 if there is a newer one. Left out: whatever it is.",
    )  # fmt: skip


class RubricRowSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="From 1.")
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = TrainingPersonSerializer(allow_null=True)


class RubricSerializer(RubricRowSerializer):
    criteria = CriterionSerializer(many=True)


class TemplateSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation_id = serializers.UUIDField()
    name = serializers.CharField()
    scenario = serializers.CharField(help_text="What the learner is told before the call.")
    persona = serializers.CharField(help_text="Whom the other side plays.")
    category = NamedSerializer(allow_null=True, help_text="Questions to practise after a weak call.")
    user = TrainingPersonSerializer(allow_null=True, help_text="Who made it.")
    rubric_number = serializers.IntegerField(allow_null=True, help_text="Of its newest version; null: there is none.")
    archived_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TemplateDetailSerializer(TemplateSerializer):
    rubric = RubricSerializer(allow_null=True, help_text="The newest version.")
    may_change = serializers.BooleanField()


class ChangedTemplateSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(required=False)
    scenario = serializers.CharField(required=False, allow_blank=True)
    persona = serializers.CharField(required=False, allow_blank=True)
    category = serializers.UUIDField(required=False, allow_null=True, help_text="Its id.")
    seen = serializers.DateTimeField(
        required=False, help_text="`updated_at` as it was read: 409 if it has changed since."
    )


class NewTemplateSerializer(serializers.Serializer[Any]):
    organisation = serializers.UUIDField(required=False, help_text="By default your first organisation.")
    name = serializers.CharField()
    scenario = serializers.CharField(required=False, default="", allow_blank=True)
    persona = serializers.CharField(required=False, default="", allow_blank=True)
    category = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="Its id.")
    criteria = NewCriterionSerializer(many=True, required=False, default=list)


class ExampleTemplateSerializer(serializers.Serializer[Any]):
    organisation = serializers.UUIDField(required=False, help_text="By default your first organisation.")


class AgreedSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField(help_text="Calls with a score of both.")
    kappa = serializers.FloatField(allow_null=True, help_text="Quadratically weighted, -1 to 1; null: see the reason.")
    reason = serializers.CharField()
    same = serializers.FloatField(allow_null=True, help_text="Share of the pairs on one level, 0 to 1.")
    apart = serializers.FloatField(allow_null=True, help_text="Mean difference of the scores, in points.")


class AgreedCriterionSerializer(AgreedSerializer):
    key = serializers.CharField()
    name = serializers.CharField()


class AgreedPairSerializer(AgreedSerializer):
    first = serializers.ChoiceField(choices=SessionGrade.Grader.choices)
    second = serializers.ChoiceField(choices=SessionGrade.Grader.choices)
    criteria = AgreedCriterionSerializer(many=True)


class AgreementSerializer(serializers.Serializer[Any]):
    least = serializers.IntegerField(help_text="Calls that a kappa needs.")
    pairs = AgreedPairSerializer(many=True)


class AssignmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation_id = serializers.UUIDField()
    template = NamedSerializer()
    user = TrainingPersonSerializer()
    assigned_by = TrainingPersonSerializer(allow_null=True)
    note = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True, help_text="When the first call of it was closed.")
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewAssignmentsSerializer(serializers.Serializer[Any]):
    template = serializers.UUIDField(help_text="Its id.")
    users = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE, help_text="Ids of members."
    )
    due_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, default="", allow_blank=True)


class AssignedSerializer(serializers.Serializer[Any]):
    created = AssignmentSerializer(many=True)
    already = serializers.ListField(
        child=serializers.UUIDField(), help_text="People who had an open assignment of the template, and keep it."
    )


class ChangedAssignmentSerializer(serializers.Serializer[Any]):
    due_at = serializers.DateTimeField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True)
