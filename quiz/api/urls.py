"""Under /api/. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from jobs.api.urls import OptionalSlashRouter

from .analysis_views import AnalysisView
from .attempt_views import UUID_REGEX, AttemptViewSet
from .picture_views import DIGEST_REGEX, PictureView
from .progress_views import GoalView, LeaderboardView, LearnerView, ProgressView
from .quiz_views import CategoriesView, ClauseSearchView, QuizView
from .training_analytics import OrganisationAnalyticsView, OrganisationExportView
from .training_assignment_views import AssignmentViewSet
from .training_files import FileContentView, FileOpenView, FileView, RecordingView, ReportView, TranscriptsView
from .training_hooks import ConnectionViewSet, voice
from .training_session_views import NoteView, SessionViewSet
from .training_template_views import TemplateViewSet

router = OptionalSlashRouter()
router.register("quiz/attempts", AttemptViewSet, basename="quiz-attempt")
router.register("training/templates", TemplateViewSet, basename="training-template")
router.register("training/assignments", AssignmentViewSet, basename="training-assignment")
router.register("training/sessions", SessionViewSet, basename="training-session")
router.register("training/connections", ConnectionViewSet, basename="voice-connection")
CALL, FILE = rf"^training/sessions/(?P<session_id>{UUID_REGEX})", rf"^training/files/(?P<file_id>{UUID_REGEX})"

urlpatterns = [
    re_path(r"^quiz/?$", QuizView.as_view(), name="quiz"),
    re_path(r"^quiz/clauses/?$", ClauseSearchView.as_view(), name="quiz-clauses"),
    re_path(r"^quiz/categories/?$", CategoriesView.as_view(), name="quiz-categories"),
    re_path(r"^quiz/progress/?$", ProgressView.as_view(), name="quiz-progress"),
    re_path(r"^quiz/leaderboard/?$", LeaderboardView.as_view(), name="quiz-leaderboard"),
    re_path(r"^quiz/analysis/?$", AnalysisView.as_view(), name="quiz-analysis"),
    re_path(r"^quiz/learner/?$", LearnerView.as_view(), name="quiz-learner"),
    re_path(rf"^quiz/goals/(?P<category_id>{UUID_REGEX})/?$", GoalView.as_view(), name="quiz-goal"),
    re_path(rf"^quiz/pictures/(?P<digest>{DIGEST_REGEX})/?$", PictureView.as_view(), name="quiz-picture"),
    re_path(r"^analytics/organisation/?$", OrganisationAnalyticsView.as_view(), name="training-analytics"),
    re_path(r"^analytics/organisation/export/?$", OrganisationExportView.as_view(), name="training-analytics-file"),
    re_path(r"^hooks/voice/?$", voice, name="hooks-voice"),
    re_path(r"^training/transcripts/?$", TranscriptsView.as_view(), name="training-transcripts"),
    re_path(rf"^training/notes/(?P<note_id>{UUID_REGEX})/?$", NoteView.as_view(), name="training-note"),
    re_path(rf"{CALL}/recording/?$", RecordingView.as_view(), name="training-recording"),
    re_path(rf"{CALL}/report/?$", ReportView.as_view(), name="training-report"),
    re_path(rf"{FILE}/?$", FileView.as_view(), name="training-file"),
    re_path(rf"{FILE}/open/?$", FileOpenView.as_view(), name="training-file-open"),
    re_path(rf"{FILE}/content/?$", FileContentView.as_view(), name="training-file-content"),
    *router.urls,
]
