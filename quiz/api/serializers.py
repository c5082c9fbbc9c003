"""What the API of quizzes takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..levels import LEVELS
from ..models import Attempt, Learner
from ..services.drawing import DEFAULT, MOST

LEVEL_CHOICES = [*LEVELS]


class NamedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class PractisedClauseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    title = serializers.CharField()


class NewAttemptSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Attempt.Mode.choices)
    category = serializers.UUIDField(required=False, help_text="Its id. Needed for an exam.")
    clause = serializers.UUIDField(
        required=False, help_text="Its id: questions that cite it. Of practice, which needs it or a category."
    )
    count = serializers.IntegerField(
        required=False, default=DEFAULT, min_value=1, max_value=MOST, help_text="Of an exam its category decides."
    )
    difficulty = serializers.ChoiceField(
        choices=LEVEL_CHOICES, required=False, default="", allow_blank=True, help_text="Of practice."
    )


class NewAnswerSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(min_value=1, max_value=1000)
    answer = serializers.DictField(
        help_text="By the ids shown: `{choice}`, `{choices: []}`, `{text}`, `{pairs: {left: right}}`, `{sequence: []}`."
    )
    is_unsure = serializers.BooleanField(required=False, default=False)
    seconds = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0)


class PlaceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    text = serializers.CharField(help_text="HTML, made safe.")


class CitedClauseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    title = serializers.CharField()
    edition = serializers.CharField()
    text = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    share = serializers.DecimalField(max_digits=5, decimal_places=4, help_text="Of the mark, 0 to 1.")
    is_right = serializers.BooleanField()
    right = serializers.DictField(help_text="`{choices}`, `{pairs}`, `{sequence}` by ids shown, or `{texts}`.")
    feedback = serializers.ListField(child=serializers.CharField())
    explanation = serializers.CharField()
    references = serializers.ListField(child=serializers.CharField())
    clauses = CitedClauseSerializer(many=True)


class AskedSerializer(serializers.Serializer[Any]):
    """A question as it is asked. Of `choices`, `lefts` with `rights`, and `parts` there is what its kind needs."""

    kind = serializers.CharField()
    stem = serializers.CharField(help_text="HTML, made safe.")
    difficulty = serializers.CharField(help_text="easy, medium, hard, or empty.")
    choices = PlaceSerializer(many=True, required=False)
    lefts = PlaceSerializer(many=True, required=False)
    rights = PlaceSerializer(many=True, required=False)
    parts = PlaceSerializer(many=True, required=False)


class AttemptQuestionSerializer(AskedSerializer):
    position = serializers.IntegerField()
    given = serializers.DictField(allow_null=True)
    is_unsure = serializers.BooleanField()
    result = ResultSerializer(allow_null=True)


class AttemptSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    mode = serializers.CharField()
    category = NamedSerializer(allow_null=True)
    clause = PractisedClauseSerializer(allow_null=True)
    question_count = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True, help_text="Of an exam that goes on.")
    submitted_at = serializers.DateTimeField(allow_null=True)
    score = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    is_passed = serializers.BooleanField(allow_null=True)


class AttemptDetailSerializer(AttemptSerializer):
    questions = AttemptQuestionSerializer(many=True)


class AnsweredSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    is_over = serializers.BooleanField(help_text="It was the last one: the attempt has ended.")
    result = ResultSerializer(allow_null=True, help_text="Nothing before the end of an exam.")


class ReadinessSerializer(serializers.Serializer[Any]):
    on = serializers.DateField(allow_null=True, help_text="The day of the exam; none: tomorrow.")
    expected = serializers.FloatField(help_text="Share of the marks to expect, 0 to 1: an estimate.")
    needed = serializers.FloatField()
    seen = serializers.FloatField(help_text="Share of the questions practised so far.")


class CategoryProgressSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    questions = serializers.IntegerField()
    seen = serializers.IntegerField()
    known = serializers.IntegerField()
    due = serializers.IntegerField()
    open_exam = serializers.UUIDField(allow_null=True)
    readiness = ReadinessSerializer(allow_null=True)


class WeakClauseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    title = serializers.CharField()
    edition = serializers.CharField()
    answers = serializers.IntegerField()
    share = serializers.FloatField()


class ProgressSerializer(serializers.Serializer[Any]):
    due = serializers.IntegerField()
    next_due_at = serializers.DateTimeField(allow_null=True)
    categories = CategoryProgressSerializer(many=True)
    weakest_clauses = WeakClauseSerializer(many=True)


class LeaderSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField()
    name = serializers.CharField()
    right = serializers.IntegerField(help_text="Different questions answered rightly in the last 30 days.")
    is_me = serializers.BooleanField()


class LearnerSerializer(serializers.ModelSerializer[Learner]):
    class Meta:
        model = Learner
        fields = ["is_on_leaderboard", "alias"]


class GoalSerializer(serializers.Serializer[Any]):
    exam_on = serializers.DateField(allow_null=True, help_text="Null takes it back.")
