"""Tables of projects, by topic."""

from .budget import BudgetVersion, Position, current, live_in
from .catalogue import CatalogueItem, KnowledgeEntry, PriceIndex, ThresholdSetting
from .chat import ChatMessage
from .exchange import BuildingElement, FileProject, ProjectExport, StoreDivergence
from .findings import AuditRecord, AuditRun, AuditState, Finding, FindingOverride, Verdict
from .mappings import TableMapping
from .project import Document, Project, ProjectAnalytics

__all__ = [
    "AuditRecord",
    "AuditRun",
    "AuditState",
    "BudgetVersion",
    "BuildingElement",
    "CatalogueItem",
    "ChatMessage",
    "Document",
    "FileProject",
    "Finding",
    "FindingOverride",
    "KnowledgeEntry",
    "Position",
    "PriceIndex",
    "Project",
    "ProjectAnalytics",
    "ProjectExport",
    "StoreDivergence",
    "TableMapping",
    "ThresholdSetting",
    "Verdict",
    "current",
    "live_in",
]
