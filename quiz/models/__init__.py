"""Quizzes: what is cited, what is asked, who answered what, and where questions come from."""

from .bank import Bank, Category, SyncRejection, SyncRun
from .clause import Clause, Edition, Standard
from .practice import Answer, Attempt, ExamGoal, Learner, ReviewCard, ReviewLog
from .question import Citation, ItemStatistics, Question, QuestionVersion

__all__ = [
    "Answer",
    "Attempt",
    "Bank",
    "Category",
    "Citation",
    "Clause",
    "Edition",
    "ExamGoal",
    "ItemStatistics",
    "Learner",
    "Question",
    "QuestionVersion",
    "ReviewCard",
    "ReviewLog",
    "Standard",
    "SyncRejection",
    "SyncRun",
]
