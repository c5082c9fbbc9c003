"""Addresses of the pages of training calls."""

from __future__ import annotations

from django.urls import path

from .views import (
    training_assignments,
    training_connections,
    training_organisation,
    training_overview,
    training_sessions,
    training_templates,
)

app_name = "training"

urlpatterns = [
    path("", training_overview.overview, name="overview"),
    path("upload/", training_overview.upload, name="upload"),
    path("sessions/", training_sessions.sessions, name="sessions"),
    path("sessions/<uuid:session_id>/", training_sessions.session, name="session"),
    path("sessions/<uuid:session_id>/submit/", training_sessions.submit, name="submit"),
    path("sessions/<uuid:session_id>/notes/", training_sessions.note, name="note"),
    path("sessions/<uuid:session_id>/notes/<uuid:note_id>/delete/", training_sessions.note_delete, name="note-delete"),
    path("sessions/<uuid:session_id>/grade/", training_sessions.override, name="override"),
    path("sessions/<uuid:session_id>/close/", training_sessions.close, name="close"),
    path("sessions/<uuid:session_id>/reopen/", training_sessions.reopen, name="reopen"),
    path("sessions/<uuid:session_id>/process/", training_sessions.process, name="process"),
    path("sessions/<uuid:session_id>/report/", training_sessions.report, name="report"),
    path("sessions/<uuid:session_id>/correct/", training_sessions.correct, name="correct"),
    path("review/", training_sessions.review, name="review"),
    path("templates/", training_templates.templates, name="templates"),
    path("templates/new/", training_templates.new, name="template-new"),
    path("templates/example/", training_templates.example, name="template-example"),
    path("templates/<uuid:template_id>/", training_templates.template, name="template"),
    path("templates/<uuid:template_id>/edit/", training_templates.edit, name="template-edit"),
    path("templates/<uuid:template_id>/archive/", training_templates.archive, name="template-archive"),
    path("assignments/", training_assignments.assignments, name="assignments"),
    path("assignments/<uuid:assignment_id>/", training_assignments.change, name="assignment"),
    path("organisation/", training_organisation.organisation, name="organisation"),
    path("organisation/file.csv", training_organisation.table, name="organisation-file"),
    path("connections/", training_connections.connections, name="connections"),
    path("connections/<uuid:connection_id>/", training_connections.change, name="connection"),
]
