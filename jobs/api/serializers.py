"""Jobs as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .. import connections
from ..models import Job
from ..registry import title_of


class JobErrorSerializer(serializers.Serializer[Any]):
    """Why it failed, in words for people. The traceback is for staff, in the admin."""

    message = serializers.CharField()
    code = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job of a list."""

    title = serializers.SerializerMethodField()
    message = serializers.CharField(source="current_step")
    progress = serializers.SerializerMethodField(help_text="0 to 1.")
    eta_seconds = serializers.FloatField(source="eta_s", allow_null=True)
    batch_id = serializers.UUIDField(allow_null=True)
    actor_id = serializers.UUIDField(allow_null=True)
    organisation_id = serializers.UUIDField(allow_null=True)
    error = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "title",
            "queue",
            "priority",
            "status",
            "subject_type",
            "subject_id",
            "about",
            "actor_id",
            "organisation_id",
            "batch_id",
            "progress",
            "done",
            "total",
            "message",
            "detail",
            "eta_seconds",
            "error",
            "attempt",
            "max_retries",
            "created_at",
            "scheduled_for",
            "started_at",
            "finished_at",
            "next_retry_at",
            "cancel_requested_at",
        ]
        read_only_fields = fields

    def get_title(self, job: Job) -> str:
        return title_of(job.kind)

    def get_progress(self, job: Job) -> float:
        return job.fraction

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        if not job.error:
            return None
        return {"message": job.error.get("message", ""), "code": job.error.get("code", "")}


class JobDetailSerializer(JobSerializer):
    """One job, with what it was asked and what came out."""

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "params", "result"]
        read_only_fields = fields


class JobAskedSerializer(JobDetailSerializer):
    """A job that was just asked for (again)."""

    notice = serializers.SerializerMethodField(help_text="What to expect while a service is away; usually empty.")

    class Meta(JobDetailSerializer.Meta):
        fields = [*JobDetailSerializer.Meta.fields, "notice"]
        read_only_fields = fields

    def get_notice(self, job: Job) -> str:
        return connections.notice()


class JobStatusSerializer(JobSerializer):
    """What a client polls for."""

    class Meta(JobSerializer.Meta):
        fields = ["id", "status", "progress", "done", "total", "message", "eta_seconds", "result", "error"]
        read_only_fields = fields


class ChildrenSerializer(serializers.Serializer[Any]):
    """Children by status; all of them are there, also with 0."""

    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    retrying = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class FailuresSerializer(serializers.Serializer[Any]):
    """Children that failed for one reason, counted. `message` is an example where they have several."""

    code = serializers.CharField(help_text="Narrow a list to them: /api/jobs?batch={id}&code={code}.")
    count = serializers.IntegerField()
    message = serializers.CharField()
    messages = serializers.IntegerField(help_text="How many different messages there are.")


class BatchSerializer(JobAskedSerializer):
    """A batch: `done` of `total` children have ended; the rest will probably take `eta_seconds`."""

    counts = serializers.SerializerMethodField()
    failures = serializers.SerializerMethodField(help_text="Why children failed, the most frequent reason first.")

    class Meta(JobAskedSerializer.Meta):
        fields = [*JobAskedSerializer.Meta.fields, "counts", "failures"]
        read_only_fields = fields

    @extend_schema_field(ChildrenSerializer)
    def get_counts(self, job: Job) -> dict[str, int]:
        counts: dict[str, int] = self.context["counts"]
        return {status: counts.get(status, 0) for status in Job.Status.values}

    @extend_schema_field(FailuresSerializer(many=True))
    def get_failures(self, job: Job) -> list[dict[str, Any]]:
        failures: list[dict[str, Any]] = self.context["failures"]
        return failures


class BatchRetrySerializer(serializers.Serializer[Any]):
    """What of a batch to run again."""

    include_cancelled = serializers.BooleanField(
        default=False, help_text="Also the children that were cancelled; otherwise only those that failed."
    )
