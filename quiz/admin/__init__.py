"""What staff see of quizzes. Importing the modules registers them."""

from .banks import BankAdmin, CategoryAdmin
from .questions import ClauseAdmin, EditionAdmin, QuestionAdmin, StandardAdmin
from .runs import SyncRejectionAdmin, SyncRunAdmin

__all__ = [
    "BankAdmin",
    "CategoryAdmin",
    "ClauseAdmin",
    "EditionAdmin",
    "QuestionAdmin",
    "StandardAdmin",
    "SyncRejectionAdmin",
    "SyncRunAdmin",
]
