"""Quizzes: what is cited, what is asked, who answered what, where questions come from; and training calls."""

from .bank import Bank, Category, SyncRejection, SyncRun
from .call import GradeScore, SessionFile, SessionGrade, SessionNote, TrainingSession, VoiceConnection
from .clause import Clause, Edition, Standard
from .picture import Picture
from .practice import Answer, Attempt, ExamGoal, Learner, ReviewCard, ReviewLog
from .question import Citation, Question, QuestionVersion
from .statistics import ExamStatistics, ItemStatistics
from .training import Assignment, Criterion, Rubric, TrainingTemplate
from .training_figures import CriterionDay, StaleDay

__all__ = [
    "Answer",
    "Assignment",
    "Attempt",
    "Bank",
    "Category",
    "Citation",
    "Clause",
    "Criterion",
    "CriterionDay",
    "Edition",
    "ExamGoal",
    "ExamStatistics",
    "GradeScore",
    "ItemStatistics",
    "Learner",
    "Picture",
    "Question",
    "QuestionVersion",
    "ReviewCard",
    "ReviewLog",
    "Rubric",
    "SessionFile",
    "SessionGrade",
    "SessionNote",
    "StaleDay",
    "Standard",
    "SyncRejection",
    "SyncRun",
    "TrainingSession",
    "TrainingTemplate",
    "VoiceConnection",
]
