"""What staff see of quizzes. Importing the modules registers them."""

from .banks import BankAdmin, CategoryAdmin
from .questions import ClauseAdmin, EditionAdmin, QuestionAdmin, StandardAdmin
from .runs import SyncRejectionAdmin, SyncRunAdmin
from .statistics import ExamStatisticsAdmin, ItemStatisticsAdmin

__all__ = [
    "BankAdmin",
    "CategoryAdmin",
    "ClauseAdmin",
    "EditionAdmin",
    "ExamStatisticsAdmin",
    "ItemStatisticsAdmin",
    "QuestionAdmin",
    "StandardAdmin",
    "SyncRejectionAdmin",
    "SyncRunAdmin",
]
