"""Addresses of the quiz pages."""

from __future__ import annotations

from django.urls import path

from .views import analysis, clauses, editions, editions_questions, overview, progress, sitting

app_name = "quiz"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("start/", sitting.start, name="start"),
    path("review/", sitting.review, name="review"),
    path("progress/", progress.standing, name="progress"),
    path("clauses/", clauses.clauses, name="clauses"),
    path("clauses/<uuid:clause_id>/", clauses.clause, name="clause"),
    path("analysis/", analysis.analysis, name="analysis"),
    path("analysis/points.json", analysis.points, name="analysis-points"),
    path("analysis/items.csv", analysis.table, name="analysis-table"),
    path("analysis/run/", analysis.run, name="analysis-run"),
    path("analysis/<uuid:version_id>/", analysis.item, name="analysis-item"),
    path("editions/", editions.overview, name="editions"),
    path("editions/clauses/", editions.clauses, name="editions-clauses"),
    path("editions/flagged/", editions.flagged, name="editions-flagged"),
    path("editions/questions/", editions_questions.questions, name="editions-questions"),
    path("leaderboard/", overview.leaderboard, name="leaderboard"),
    path("settings/", overview.settings, name="settings"),
    path("goals/<uuid:category_id>/", overview.goal, name="goal"),
    path("attempts/<uuid:attempt_id>/", sitting.attempt, name="attempt"),
]
