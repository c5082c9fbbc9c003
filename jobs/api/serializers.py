"""Jobs as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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


class JobStatusSerializer(JobSerializer):
    """What a client polls for."""

    class Meta(JobSerializer.Meta):
        fields = ["id", "status", "progress", "done", "total", "message", "eta_seconds", "result", "error"]
        read_only_fields = fields


class BatchSerializer(JobDetailSerializer):
    """A batch: `done` of `total` children have ended."""

    counts = serializers.SerializerMethodField(help_text="Children by status.")

    class Meta(JobDetailSerializer.Meta):
        fields = [*JobDetailSerializer.Meta.fields, "counts"]
        read_only_fields = fields

    def get_counts(self, job: Job) -> dict[str, int]:
        counts: dict[str, int] = self.context["counts"]
        return counts
