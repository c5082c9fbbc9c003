"""What the audit said, and what people decided about it."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..querysets import FindingQuerySet


class Grade(models.TextChoices):
    GREEN = "green", "Green"
    AMBER = "amber", "Amber"
    RED = "red", "Red"
    NOT_CHECKED = "not_checked", "Not checked"


class FindingGrade(models.TextChoices):
    RED = "red", "Red"
    AMBER = "amber", "Amber"
    INFO = "info", "Info"
    NOT_CHECKED = "not_checked", "Not checked"


class Role(models.TextChoices):
    VALIDATOR = "validator", "Validator"
    COST = "cost", "Cost"
    STRUCTURAL = "structural", "Structural"
    CONCRETE = "concrete", "Concrete"
    STANDARDS = "standards", "Standards"
    ORCHESTRATOR = "orchestrator", "Orchestrator"


class AuditRun(models.Model):
    """One audit of one version: which rules ran with which thresholds, and which could not."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="audits", db_index=False)
    version_number = models.PositiveIntegerField()
    job_id = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(default=timezone.now)
    positions = models.PositiveIntegerField()
    counts = models.JSONField(default=dict, help_text="Positions by grade")
    money_at_stake = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0))
    rules = models.JSONField(default=dict, help_text="Rule id: version, for all that ran")
    rule_hits = models.JSONField(default=dict, help_text="Rule id: number of findings")
    not_checked_rules = models.JSONField(default=list, help_text="[rule id, title, reason] of those that could not run")
    thresholds = models.JSONField(default=dict)
    precision = models.JSONField(default=dict, help_text="Rule id: [share of its findings that stood, number judged]")
    references = models.JSONField(default=dict, help_text="Catalogue, edition, price index, blank file compared with")
    audited_positions = models.PositiveIntegerField(default=0, help_text="Asked anew; the rest was carried over")
    is_incremental = models.BooleanField(default=False)
    inputs_sha256 = models.CharField(max_length=64, blank=True, help_text="Of everything the rules read")

    class Meta:
        ordering = ["-finished_at"]
        # The project page shows the newest audit.
        indexes = [models.Index(fields=["project", "-finished_at"], name="audit_project_newest")]

    def __str__(self) -> str:
        return f"audit of version {self.version_number}"


def certificate_path(record: AuditRecord, filename: str) -> str:
    return f"projects/{record.run.project_id}/certificates/{record.pk}"


class AuditRecord(models.Model):
    """What, besides the positions and its references, one audit was given: with it, it can be done again.

    And its certificate, once someone asked for it: a file built by a job.
    """

    run = models.OneToOneField(AuditRun, on_delete=models.CASCADE, primary_key=True, related_name="record")
    context = models.JSONField(help_text="What rules read besides the positions: currency, rounding, stated totals, …")
    decisions = models.JSONField(help_text="People's standing decisions: [rule, content hash, identity, reason, grade]")
    references_sha256 = models.CharField(max_length=64, blank=True)
    certificate = models.FileField(upload_to=certificate_path, blank=True, max_length=200)
    certificate_sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    certificate_size = models.PositiveBigIntegerField(default=0, help_text="Bytes")
    certified_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"record of {self.run_id}"


class AuditState(models.Model):
    """What the next audit of a project needs to know of the last one, to ask anew only what can have changed.

    Written in the transaction that stores the results; whoever finds it unreadable or of other code audits everything.
    """

    project = models.OneToOneField("projects.Project", on_delete=models.CASCADE, primary_key=True, related_name="+")
    run = models.ForeignKey(AuditRun, on_delete=models.CASCADE, related_name="+")
    version_number = models.PositiveIntegerField()
    content = models.BinaryField(help_text="Sums and counts over all positions (audit.facts), as JSON")
    places = models.JSONField(null=True, help_text="Which document has positions where; null: to be counted")

    def __str__(self) -> str:
        return f"state of version {self.version_number}"


class Verdict(models.Model):
    """The consolidated grade of one position, by the last audit in which its row was current.

    Apart from the position, since position rows are immutable and a re-audit rewrites 100,000 of these by COPY.
    """

    position = models.OneToOneField("projects.Position", on_delete=models.CASCADE, primary_key=True)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="+", db_index=False)
    version_number = models.PositiveIntegerField()
    grade = models.CharField(max_length=11, choices=Grade.choices)
    confidence = models.DecimalField(max_digits=5, decimal_places=4)
    money_at_stake = models.DecimalField(max_digits=18, decimal_places=2)
    roles = models.JSONField(default=dict, help_text="Role: grade; a role without an applicable rule is absent")
    not_checked = models.JSONField(default=list, help_text="Rules that applied but could not run")

    class Meta:
        indexes = [
            # The positions table sorted by money at stake, of all grades or of one.
            # The position comes last, as in the sort: nearly all green ones have nothing at stake, and a tie broken by
            # another table's column would sort them all (266 against 0.4 ms at 100,000 positions).
            models.Index(fields=["project", "-money_at_stake", "position"], name="verdict_money"),
            models.Index(fields=["project", "grade", "-money_at_stake", "position"], name="verdict_grade_money"),
        ]

    def __str__(self) -> str:
        return self.get_grade_display()


class FindingOverride(models.Model):
    """A person's decision on what a rule says of a position. Holds while the position's content is unchanged.

    Kept apart from the finding, so that a re-audit, which writes findings anew, finds it again by
    (project, lineage, rule, content hash).
    """

    class Decision(models.TextChoices):
        OVERRIDDEN = "overridden", "Overridden: the finding does not hold"
        ACCEPTED = "accepted", "Accepted: the finding is right, the position stays"

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="overrides", db_index=False)
    lineage = models.UUIDField()
    rule_id = models.CharField(max_length=10)
    content_hash = models.CharField(max_length=32)
    decision = models.CharField(max_length=12, choices=Decision.choices, default=Decision.OVERRIDDEN)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            # One standing decision a finding; the audit reads them along it.
            models.UniqueConstraint(
                fields=["project", "lineage", "rule_id", "content_hash"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="override_standing_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.get_decision_display()}"


class Finding(models.Model):
    """What one rule of one role says of one position (or, without a position, of the whole budget)."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="findings", db_index=False)
    position = models.ForeignKey("projects.Position", on_delete=models.CASCADE, null=True, related_name="findings")
    version_number = models.PositiveIntegerField()
    role = models.CharField(max_length=12, choices=Role.choices)
    rule_id = models.CharField(max_length=10)
    rule_version = models.PositiveSmallIntegerField()
    grade = models.CharField(max_length=11, choices=FindingGrade.choices)
    confidence = models.DecimalField(max_digits=5, decimal_places=4)
    reasoning = models.TextField()
    evidence = models.JSONField(default=dict)
    money_at_stake = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0))
    suggestion = models.JSONField(null=True)
    subject = models.TextField(blank=True, help_text="What it is about: unit_price, concrete_class, …")
    demand = models.TextField(blank=True, help_text="What it asks for: lower, raise, C30/37, …")
    conflicts_with = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    conflicting = models.JSONField(default=list, help_text="Ids of all rules that demand something else")
    resolution = models.TextField(blank=True, help_text="Of a conflict: who won, and why")
    override = models.ForeignKey(FindingOverride, on_delete=models.SET_NULL, null=True, related_name="findings")

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-money_at_stake", "id"]
        indexes = [
            # "The ten findings with most money at stake".
            models.Index(fields=["project", "-money_at_stake"], name="finding_money"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.grade}"

    @property
    def is_open(self) -> bool:
        return self.override is None or self.override.decision == FindingOverride.Decision.ACCEPTED
