"""What the nightly item analysis found: of each wording, and of each category's exam."""

from __future__ import annotations

from django.db import models

from ..querysets import ExamStatisticsQuerySet, ItemStatisticsQuerySet
from .bank import Category
from .question import QuestionVersion


class ItemStatistics(models.Model):
    """How a wording did, by the first answers of each person. Figures are empty under 30 of them."""

    version = models.OneToOneField(
        QuestionVersion, on_delete=models.CASCADE, primary_key=True, related_name="statistics"
    )
    answers = models.PositiveIntegerField(help_text="First answers of each person.")
    facility = models.FloatField(null=True, help_text="Mean share of the mark, 0 to 1.")
    ranked = models.PositiveIntegerField(
        default=0, help_text="Of them, by people with enough other answers to be ranked."
    )
    discrimination = models.FloatField(null=True, help_text="Upper less lower 27 %, -1 to 1.")
    item_total = models.FloatField(null=True, help_text="Corrected item-total correlation, -1 to 1.")
    distractors = models.JSONField(default=dict, help_text="Choice id: takers of the lower, middle and upper.")
    flags = models.JSONField(default=list, help_text="Codes of what looks odd: heuristics.")
    median_seconds = models.FloatField(null=True)
    analysed_at = models.DateTimeField()

    objects = ItemStatisticsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "item statistics"

    def __str__(self) -> str:
        return f"{self.answers} answers"


class ExamStatistics(models.Model):
    """How consistently a category's exam measures: by the form taken most, one and the same set of wordings."""

    category = models.OneToOneField(Category, on_delete=models.CASCADE, primary_key=True, related_name="statistics")
    forms = models.PositiveIntegerField(help_text="Different sets of questions that its exams had.")
    questions = models.PositiveIntegerField(help_text="Of the form taken most.")
    people = models.PositiveIntegerField(help_text="Who took that form, each once.")
    mean = models.FloatField(null=True, help_text="Marks of that form.")
    deviation = models.FloatField(null=True, help_text="Standard deviation of the marks, of all who took it.")
    kr20 = models.FloatField(null=True, help_text="Kuder-Richardson 20, at most 1.")
    why_none = models.CharField(max_length=200, blank=True)
    analysed_at = models.DateTimeField()

    objects = ExamStatisticsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "exam statistics"

    def __str__(self) -> str:
        return f"{self.category}, {self.people} people"
