"""What goes out of a project and what came from elsewhere: exports, elements of a building model, older folders."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..querysets import OfVisibleProjectQuerySet


def export_path(export: ProjectExport, filename: str) -> str:
    return f"projects/{export.project_id}/exports/{export.pk}"


class ProjectExport(models.Model):
    """A file made from one version of a budget by a job: an export, a report, or the client's own file with prices.

    queued ──> running ──> completed | failed
    """

    class Kind(models.TextChoices):
        PRICED = "priced", "The client's file, with prices"
        XLSX = "xlsx", "Excel (xlsx)"
        CSV = "csv", "CSV"
        UNIXML = "unixml", "uniXML 1.2"
        GAEB_X84 = "gaeb_x84", "GAEB X84 (bid)"
        GAEB_X86 = "gaeb_x86", "GAEB X86 (contract)"
        PDF = "pdf", "Report (PDF)"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="exports", db_index=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    document = models.ForeignKey(
        "projects.Document", on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="The client's file that prices are written into",
    )  # fmt: skip
    version_number = models.PositiveIntegerField()
    options = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    job_id = models.UUIDField(null=True, blank=True)
    file = models.FileField(upload_to=export_path, blank=True, max_length=200)
    filename = models.CharField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes")
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    report = models.JSONField(default=dict, blank=True, help_text="What was written, left out, and verified")
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OfVisibleProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        # The project's exports, newest first.
        indexes = [models.Index(fields=["project", "-created_at"], name="export_project_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of version {self.version_number}"


class BuildingElement(models.Model):
    """One element of a building model (IFC), its quantities, and the positions that came from it."""

    project = models.ForeignKey("projects.Project", on_delete=models.CASCADE, related_name="elements", db_index=False)
    document = models.ForeignKey("projects.Document", on_delete=models.CASCADE, related_name="elements")
    guid = models.CharField(max_length=22, help_text="IfcGloballyUniqueId")
    ifc_class = models.CharField(max_length=60)
    name = models.CharField(max_length=255, blank=True)
    type_name = models.CharField(max_length=255, blank=True)
    storey = models.CharField(max_length=120, blank=True)
    material = models.CharField(max_length=255, blank=True)
    predefined_type = models.CharField(max_length=60, blank=True, help_text="BASESLAB, PARTITIONING, …")
    layers = models.JSONField(default=list, blank=True, help_text="[material, thickness in m], as the model has them")
    notes = models.JSONField(default=list, blank=True, help_text="What could not be had, and why")
    quantities = models.JSONField(default=dict, help_text='{"volume": ["2.5", "m3", "geometry" | "stated"]}')
    positions = models.JSONField(default=list, blank=True, help_text="Lineages of the positions it is counted in")

    objects = OfVisibleProjectQuerySet.as_manager()

    class Meta:
        ordering = ["storey", "ifc_class", "name", "id"]
        constraints = [
            # A model read again replaces; the element's page looks it up.
            models.UniqueConstraint(fields=["document", "guid"], name="element_guid_unique"),
        ]
        # Elements of a project by class and storey.
        indexes = [models.Index(fields=["project", "ifc_class"], name="element_project_class")]

    def __str__(self) -> str:
        return f"{self.ifc_class} {self.name or self.guid}"


class FileProject(models.Model):
    """A project's folder in the older file store, and the project that it became. Idempotent by `legacy_id`."""

    class State(models.TextChoices):
        MIGRATED = "migrated", "Migrated"
        FAILED = "failed", "Unreadable"

    legacy_id = models.CharField(max_length=80, unique=True)
    project = models.OneToOneField(
        "projects.Project", on_delete=models.CASCADE, null=True, blank=True, related_name="file_project"
    )
    state = models.CharField(max_length=8, choices=State.choices)
    checksum = models.CharField(max_length=64, help_text="SHA-256 over the folder's files, names and contents")
    contents = models.JSONField(default=dict, help_text="What the folder holds that no table has a place for")
    report = models.JSONField(default=dict, help_text="Counts, checksums, differences")
    error = models.TextField(blank=True)
    migrated_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["legacy_id"]

    def __str__(self) -> str:
        return self.legacy_id


class StoreDivergence(models.Model):
    """Files and tables said different things of one project, or one of two writes failed."""

    legacy_id = models.CharField(max_length=80)
    project = models.ForeignKey(
        "projects.Project", on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    operation = models.CharField(max_length=40)
    difference = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        # The newest of one project.
        indexes = [models.Index(fields=["legacy_id", "-at"], name="divergence_newest")]

    def __str__(self) -> str:
        return f"{self.legacy_id}: {self.operation}"
