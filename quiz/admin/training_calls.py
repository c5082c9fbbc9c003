"""Training calls for staff: what was said, how it was graded and by whom, notes, files. Nobody edits them here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from accounts.admin_pages import ReadOnlyAdmin, each, figure
from accounts.pages import actor_of

from ..models import SessionFile, SessionNote, TrainingSession
from ..services.training.processing_start import start_processing
from .training import ReadOnlyInline

MOST_TURNS = 400
STATUSES = {
    "Received": "info", "Cleaned": "info", "Measured": "info", "Summarised": "info", "Graded": "info",
    "Done": "success", "Failed": "danger",
}  # fmt: skip


class NoteInline(ReadOnlyInline):
    model = SessionNote
    fields = readonly_fields = ["turn", "text", "author", "created_at", "edited_at"]


class FileInline(ReadOnlyInline):
    """Without a link: files go out past a permission check, to those whose call it is."""

    model = SessionFile
    fields = readonly_fields = ["kind", "name", "content_type", "size", "created_at"]


@admin.register(TrainingSession)
class TrainingSessionAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__", "organisation", "user", "template", "source", "show_status", figure("overall", "Overall"),
        "submitted_for_review", "closed_at", "created_at",
    ]  # fmt: skip
    list_filter = ["status", "source", "submitted_for_review", "organisation"]
    search_fields = ["id", "call_id", "title", "user__email", "template__name"]
    list_select_related = ["organisation", "user", "template"]
    date_hierarchy = "created_at"
    show_full_result_count = False
    exclude = ["raw", "raw_hash", "clean", "clean_hash", "measures", "job"]
    readonly_fields = ["show_job", "show_grades", "show_transcript"]
    inlines = [NoteInline, FileInline]
    actions = ["process_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingSession]:
        rows: QuerySet[TrainingSession] = super().get_queryset(request)
        return rows.defer("raw", "clean", "measures", "summary")

    def has_keep_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By name, not as "app.permission": Unfold looks dotted ones up in the database while checks run."""
        return request.user.has_perm("quiz.change_trainingsession")

    @display(description="Status", label=STATUSES)
    def show_status(self, session: TrainingSession) -> str:
        return session.get_status_display()

    @display(description="Job")
    def show_job(self, session: TrainingSession) -> SafeString | str:
        if session.job_id is None:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[session.job_id]), session.job)

    @display(description="Grades")
    def show_grades(self, session: TrainingSession) -> SafeString | str:
        """All there ever were, those that count first."""
        rows = session.grades.select_related("author", "rubric__template").prefetch_related("scores__criterion")
        told = []
        for grade in rows.order_by("-is_current", "grader", "-created_at"):
            scores = (
                (row.criterion.name, "–" if row.score is None else row.score, row.reason) for row in grade.scores.all()
            )
            lines = format_html_join("", '<tr><td class="pr-6">{}</td><td class="pr-6">{}</td><td>{}</td></tr>', scores)
            who = grade.author or grade.grader_version
            counts = "" if grade.is_current else ", counts no more"
            told.append((grade.get_grader_display(), who, grade.rubric, counts, grade.overall or "–", lines))
        line = '<p class="mt-2"><strong>{}</strong> ({}), by {}{}. Overall: {}</p><table>{}</table>'
        return format_html_join("", line, told) or "–"

    @display(description="Transcript")
    def show_transcript(self, session: TrainingSession) -> SafeString | str:
        turns = session.clean[:MOST_TURNS]
        told = ((number, turn["speaker"], Truncator(turn["text"]).chars(1000)) for number, turn in enumerate(turns))
        shown = format_html_join("", "<p>{} <strong>{}</strong>: {}</p>", told)
        left = len(session.clean) - len(turns)
        return format_html("{}<p>and {} more turns</p>", shown, left) if left else shown or "–"

    @admin.action(description="Process the selected calls again", permissions=["keep"])
    def process_again(self, request: HttpRequest, rows: QuerySet[TrainingSession]) -> None:
        actor = actor_of(request)
        each(
            request,
            rows,
            lambda session: start_processing(session_id=session.pk, actor=actor),
            "{} being worked on again.",
        )


@admin.register(SessionFile)
class SessionFileAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "session", "content_type", figure("size", "Bytes"), "created_at"]
    list_filter = ["kind"]
    search_fields = ["name", "session__id", "session__title"]
    list_select_related = ["session"]
    show_full_result_count = False
    exclude = ["file"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionFile]:
        rows: QuerySet[SessionFile] = super().get_queryset(request)
        return rows.defer("session__raw", "session__clean", "session__measures", "session__summary")
