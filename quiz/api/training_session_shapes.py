"""What the API of training calls takes and gives: calls, their grades and notes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..models import SessionFile, SessionGrade, TrainingSession
from .serializers import NamedSerializer
from .training_serializers import CriterionSerializer, TrainingPersonSerializer


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organisation_id = serializers.UUIDField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=TrainingSession.Status.choices)
    error = serializers.CharField()
    source = serializers.ChoiceField(choices=TrainingSession.Source.choices)  # type: ignore[assignment]
    user = TrainingPersonSerializer(allow_null=True, help_text="The learner; null: not known yet.")
    template = NamedSerializer(allow_null=True)
    assignment_id = serializers.UUIDField(allow_null=True)
    overall = serializers.DecimalField(
        max_digits=5, decimal_places=2, allow_null=True, help_text="0 to 100: a coach's, else a model's."
    )
    duration_s = serializers.FloatField(allow_null=True)
    started_at = serializers.DateTimeField(help_text="Of the call.")
    created_at = serializers.DateTimeField()
    submitted_for_review = serializers.BooleanField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = TrainingPersonSerializer(allow_null=True)


class TurnSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField(help_text="From 0.")
    speaker = serializers.CharField()
    is_learner = serializers.BooleanField()
    text = serializers.CharField()
    start_s = serializers.FloatField(allow_null=True)
    end_s = serializers.FloatField(allow_null=True)
    notes = serializers.ListField(child=serializers.UUIDField(), help_text="Ids of the notes about it.")


class EvidenceSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField()
    quote = serializers.CharField()


class ScoreSerializer(serializers.Serializer[Any]):
    score = serializers.IntegerField(allow_null=True, help_text="0 to 100; null: not judged, the reason says why.")
    level = serializers.CharField(help_text="Of a quality: the level that it reaches.")
    reason = serializers.CharField()
    evidence = EvidenceSerializer(many=True)


class ScoresSerializer(serializers.Serializer[Any]):
    rule = ScoreSerializer(required=False)
    model = ScoreSerializer(required=False)
    human = ScoreSerializer(required=False)


class JudgedCriterionSerializer(CriterionSerializer):
    scores = ScoresSerializer(help_text="Side by side; whoever has not judged it is left out.")


class GradeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    grader = serializers.ChoiceField(choices=SessionGrade.Grader.choices)
    name = serializers.CharField()
    version = serializers.CharField()
    author = TrainingPersonSerializer(allow_null=True)
    overall = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    feedback = serializers.CharField()
    is_reused = serializers.BooleanField(help_text="Taken over from an identical transcript.")
    created_at = serializers.DateTimeField()


class NoteSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    turn = serializers.IntegerField(allow_null=True, help_text="From 0; null: the whole call.")
    text = serializers.CharField()
    author = TrainingPersonSerializer(allow_null=True)
    is_mine = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)


class SessionFileRowSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SessionFile.Kind.choices)
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    created_at = serializers.DateTimeField()


class SessionRubricSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()


class SessionAssignmentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    due_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()


class MaySerializer(serializers.Serializer[Any]):
    coach = serializers.BooleanField()
    note = serializers.BooleanField()
    submit = serializers.BooleanField()
    override = serializers.BooleanField()
    close = serializers.BooleanField()
    reopen = serializers.BooleanField()
    correct = serializers.BooleanField(help_text="Say who it was, or of which template it is.")
    process = serializers.BooleanField()


class SessionDetailSerializer(SessionSerializer):
    learner_speaker = serializers.CharField()
    speakers = serializers.ListField(child=serializers.CharField())
    turns = TurnSerializer(many=True)
    measures = serializers.DictField(help_text="Each with its basis; docs: training, Measures.")
    summary = serializers.CharField()
    next_step = serializers.CharField()
    summarised_by = serializers.CharField(help_text="rules, or the model's name.")
    revision = serializers.IntegerField()
    rubric = SessionRubricSerializer(allow_null=True, help_text="The version that it was graded by.")
    assignment = SessionAssignmentSerializer(allow_null=True)
    grades = GradeSerializer(many=True, help_text="The current one of each grader.")
    criteria = JudgedCriterionSerializer(many=True)
    notes = NoteSerializer(many=True)
    files = SessionFileRowSerializer(many=True)
    next_practice = serializers.DictField(allow_null=True, help_text="What to practise after the weakest score.")
    job_id = serializers.UUIDField(allow_null=True)
    seen = serializers.CharField(help_text="To be sent with the coach's scores: 409 if another coach was faster.")
    may = MaySerializer()


class NewNoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    turn = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, help_text="From 0; left out: the whole call."
    )


class ChangedNoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()


class GivenScoreSerializer(serializers.Serializer[Any]):
    score = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=100, help_text="Null takes the coach's own back."
    )
    reason = serializers.CharField(required=False, default="", allow_blank=True, help_text="Due with a score.")


class OverrideSerializer(serializers.Serializer[Any]):
    scores = serializers.DictField(
        child=GivenScoreSerializer(), required=False, default=dict, help_text="By the keys of criteria."
    )
    feedback = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None)
    seen = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, default=None, help_text="As it was told with the call."
    )


class WhoSerializer(serializers.Serializer[Any]):
    user = serializers.UUIDField(help_text="Id of a member.")
    learner_speaker = serializers.CharField(
        required=False, allow_null=True, default=None, help_text="One of the speakers; left out: as it is."
    )


class OtherTemplateSerializer(serializers.Serializer[Any]):
    template = serializers.UUIDField(help_text="Its id.")
