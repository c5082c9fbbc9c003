"""Quizzes: what is cited, what is asked, who answered what, and where questions come from."""

from .bank import Bank, Category, SyncRejection, SyncRun
from .clause import Clause, Edition, Standard
from .picture import Picture
from .practice import Answer, Attempt, ExamGoal, Learner, ReviewCard, ReviewLog
from .question import Citation, Question, QuestionVersion
from .statistics import ExamStatistics, ItemStatistics

__all__ = [
    "Answer",
    "Attempt",
    "Bank",
    "Category",
    "Citation",
    "Clause",
    "Edition",
    "ExamGoal",
    "ExamStatistics",
    "ItemStatistics",
    "Learner",
    "Picture",
    "Question",
    "QuestionVersion",
    "ReviewCard",
    "ReviewLog",
    "Standard",
    "SyncRejection",
    "SyncRun",
]
