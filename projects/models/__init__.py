"""Tables of projects, by topic."""

from .budget import BudgetVersion, Position, current, live_in
from .findings import AuditRun, Finding, FindingOverride, Verdict
from .knowledge import CatalogueItem, ChatMessage, KnowledgeEntry, TableMapping
from .project import Document, Project, ProjectAnalytics

__all__ = [
    "AuditRun",
    "BudgetVersion",
    "CatalogueItem",
    "ChatMessage",
    "Document",
    "Finding",
    "FindingOverride",
    "KnowledgeEntry",
    "Position",
    "Project",
    "ProjectAnalytics",
    "TableMapping",
    "Verdict",
    "current",
    "live_in",
]
