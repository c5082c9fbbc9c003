"""Training calls: what was said, what was measured in it, how it was graded, what the coach said of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..training_querysets import (
    GradeQuerySet,
    NoteQuerySet,
    SessionFileQuerySet,
    TrainingSessionQuerySet,
    VoiceConnectionQuerySet,
)
from .training import Assignment, Criterion, Rubric, TrainingTemplate


class VoiceConnection(models.Model):
    """How reports of a voice service about an organisation's calls come in, and how we know that it sent them.

    The service posts to /api/hooks/voice?connection={id}.
    """

    class Method(models.TextChoices):
        BEARER = "bearer", "Authorization: Bearer …"
        HEADER = "header", "A secret in a header"
        HMAC = "hmac", "HMAC-SHA256 of time and body"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="voice_connections"
    )
    name = models.CharField(max_length=80)
    method = models.CharField(max_length=8, choices=Method.choices, default=Method.BEARER)
    header = models.CharField(
        max_length=80, blank=True, default="", help_text="Of the secret or signature; empty: the method's usual one."
    )
    timestamp_header = models.CharField(
        max_length=80, blank=True, help_text="Of an HMAC of time and body; empty: the body alone is signed."
    )
    secret = models.CharField(max_length=200)
    api_url = models.URLField(max_length=300, blank=True, help_text="Asked for calls whose report never came.")
    api_key = models.CharField(max_length=200, blank=True)
    template = models.ForeignKey(
        TrainingTemplate, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Of calls that name none.",
    )  # fmt: skip
    is_active = models.BooleanField(default=True)
    reconciled_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VoiceConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class TrainingSession(models.Model):
    """One call.

    received ─clean─> cleaned ─measure─> measured ─summarise─> summarised ─grade─> graded ─notify─> done
        └──────────────────────────────── any step given up ────────────────────────────────> failed (─again─> received)

    A step writes its result and the next status in one transaction, under the row's lock and only from the status
    before it: killed, it is done again; done twice, the second finds its status gone. A later report of the same call
    that says something else is a revision: the session goes back to received, `revision` counts.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        CLEANED = "cleaned", "Cleaned"
        MEASURED = "measured", "Measured"
        SUMMARISED = "summarised", "Summarised"
        GRADED = "graded", "Graded"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Source(models.TextChoices):
        VOICE = "voice", "Voice service"
        UPLOAD = "upload", "Upload"
        API = "api", "API"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="training_sessions", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_sessions",
        db_index=False, help_text="The learner; empty: not known yet, a coach says who it was.",
    )  # fmt: skip
    template = models.ForeignKey(
        TrainingTemplate, null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions"
    )
    rubric = models.ForeignKey(
        Rubric, null=True, blank=True, on_delete=models.RESTRICT, related_name="+",
        help_text="The template's at the time of grading.",
    )  # fmt: skip
    assignment = models.ForeignKey(
        Assignment, null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions", db_index=False
    )
    connection = models.ForeignKey(
        VoiceConnection, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    call_id = models.CharField(max_length=200, blank=True, help_text="The voice service's.")
    revision = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=200, blank=True)
    learner_speaker = models.CharField(max_length=80, blank=True, help_text="Who in the transcript the learner is.")
    raw = models.JSONField(default=dict, help_text='As read: {"format", "turns": [{speaker, text, start_s, end_s}]}.')
    raw_hash = models.CharField(max_length=32, blank=True)
    clean = models.JSONField(default=list, help_text="[{speaker, text, start_s, end_s}]: what is shown and quoted.")
    clean_hash = models.CharField(max_length=32, blank=True, help_text="Identical transcripts reuse results by it.")
    measures = models.JSONField(default=dict)
    summary = models.TextField(blank=True)
    next_step = models.CharField(max_length=500, blank=True)
    summarised_by = models.CharField(max_length=60, blank=True, help_text="rules, or the model's name.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    error = models.CharField(max_length=500, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    overall = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True,
        help_text="0 to 100, of the grade that counts: a person's, else a model's. Rules give none.",
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    started_at = models.DateTimeField(default=timezone.now, help_text="Of the call.")
    submitted_for_review = models.BooleanField(default=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    job = models.ForeignKey(
        "jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TrainingSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # A call is one session, however often it is reported.
            models.UniqueConstraint(fields=["connection", "call_id"], name="session_call", condition=~Q(call_id=""))
        ]
        indexes = [
            # Lists of an organisation; its figures, which are counted from the index alone. A learner's list.
            models.Index(
                "organisation", F("created_at").desc(), name="session_newest",
                include=["user", "status", "closed_at", "overall"],
            ),
            models.Index("user", F("created_at").desc(), name="session_mine"),
            # Calls of an assignment.
            models.Index(fields=["assignment"], name="session_assignment", condition=Q(assignment__isnull=False)),
            # What is done with; the coaches' queue.
            models.Index(
                fields=["organisation", "closed_at"], name="session_closed", condition=Q(closed_at__isnull=False)
            ),
            models.Index(
                fields=["organisation", "submitted_at"], name="session_to_review",
                condition=Q(submitted_for_review=True, closed_at__isnull=True),
            ),
            # Has an identical transcript been worked on?
            models.Index(fields=["clean_hash"], name="session_transcript"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title or f"Call of {self.started_at:%Y-%m-%d %H:%M}"


class SessionGrade(models.Model):
    """One grader's view of a call. Rule, model and people stand side by side; a newer one of the same grader about the
    same words and rubric takes the place of the older (`is_current`)."""

    class Grader(models.TextChoices):
        RULE = "rule", "Measured"
        MODEL = "model", "Model"
        HUMAN = "human", "Coach"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="grades", db_index=False)
    rubric = models.ForeignKey(Rubric, on_delete=models.RESTRICT, related_name="+")
    grader = models.CharField(max_length=6, choices=Grader.choices)
    grader_version = models.CharField(
        max_length=80, help_text="Of the rules; model and prompt; empty: a person.", blank=True
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    transcript_hash = models.CharField(max_length=32)
    overall = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True,
        help_text="0 to 100, by weight; empty: rules, or a quality without a score.",
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    feedback = models.TextField(blank=True)
    is_reused = models.BooleanField(default=False, help_text="Taken over from an identical transcript.")
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = GradeQuerySet.as_manager()

    class Meta:
        ordering = ["session", "grader", "-created_at"]
        constraints = [
            # A machine grades the same words by the same rubric once.
            models.UniqueConstraint(
                fields=["session", "rubric", "grader", "grader_version", "transcript_hash"],
                name="grade_once",
                condition=~Q(grader="human"),
            )
        ]
        indexes = [
            models.Index(fields=["session"], name="grade_session"),
            # Reuse for identical transcripts.
            models.Index(fields=["transcript_hash", "rubric", "grader"], name="grade_transcript"),
        ]

    def __str__(self) -> str:
        return f"{self.get_grader_display()} of {self.session}"


class GradeScore(models.Model):
    """A criterion's score in a grade. Without a score: not judged, and `reason` says why."""

    id = models.BigAutoField(primary_key=True)
    grade = models.ForeignKey(SessionGrade, on_delete=models.CASCADE, related_name="scores", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT, related_name="scores")
    score = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])
    evidence = models.JSONField(
        default=list, help_text='[{"turn": from 0, "quote": "…"}], literally in the transcript.'
    )
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["grade", "criterion__position"]
        constraints = [models.UniqueConstraint(fields=["grade", "criterion"], name="grade_score_once")]

    def __str__(self) -> str:
        return f"{self.criterion}: {self.score}"


class SessionNote(models.Model):
    """What a coach or the learner says of a call, about one turn or all of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    turn = models.PositiveIntegerField(null=True, blank=True, help_text="From 0; empty: the whole call.")
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, blank=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["session", "created_at"], name="session_note_of")]

    def __str__(self) -> str:
        return self.text[:60]


class SessionFile(models.Model):
    """A recording or a report in the storage. Goes out by a signed link that a permission check hands out."""

    class Kind(models.TextChoices):
        RECORDING = "recording", "Recording"
        REPORT = "report", "Report (PDF)"
        TRANSCRIPT = "transcript", "Transcript as uploaded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(TrainingSession, on_delete=models.CASCADE, related_name="files", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    file = models.FileField(upload_to="training/", max_length=300)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="Bytes.")
    content_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SessionFileQuerySet.as_manager()

    class Meta:
        ordering = ["session", "kind", "-created_at"]
        indexes = [models.Index(fields=["session", "kind"], name="session_file_of")]

    def __str__(self) -> str:
        return self.name
