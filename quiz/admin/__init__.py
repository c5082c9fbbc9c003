"""What staff see of quizzes. Importing the modules registers them."""

from .banks import BankAdmin, CategoryAdmin
from .questions import ClauseAdmin, EditionAdmin, QuestionAdmin, StandardAdmin
from .runs import SyncRejectionAdmin, SyncRunAdmin
from .statistics import ExamStatisticsAdmin, ItemStatisticsAdmin
from .training import AssignmentAdmin, RubricAdmin, TrainingTemplateAdmin, VoiceConnectionAdmin
from .training_calls import SessionFileAdmin, TrainingSessionAdmin

__all__ = [
    "AssignmentAdmin",
    "BankAdmin",
    "CategoryAdmin",
    "ClauseAdmin",
    "EditionAdmin",
    "ExamStatisticsAdmin",
    "ItemStatisticsAdmin",
    "QuestionAdmin",
    "RubricAdmin",
    "SessionFileAdmin",
    "StandardAdmin",
    "SyncRejectionAdmin",
    "SyncRunAdmin",
    "TrainingSessionAdmin",
    "TrainingTemplateAdmin",
    "VoiceConnectionAdmin",
]
