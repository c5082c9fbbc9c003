"""Tenders: where notices come from, what was published, what it means to a firm, and what the firm decided."""

from .assessment import CompanyProfile, Decision, Enrichment, SavedSearch, Score
from .duplicates import Duplicate, Fingerprint
from .index import TenderIndex, Unindexed
from .outgoing import CalendarEntry, CalendarFeed, Export, StoredContent, TenderDocument
from .source import Import, Rejection, Source
from .tender import Tender, TenderRelease

__all__ = [
    "CalendarEntry",
    "CalendarFeed",
    "CompanyProfile",
    "Decision",
    "Duplicate",
    "Enrichment",
    "Export",
    "Fingerprint",
    "Import",
    "Rejection",
    "SavedSearch",
    "Score",
    "Source",
    "StoredContent",
    "Tender",
    "TenderDocument",
    "TenderIndex",
    "TenderRelease",
    "Unindexed",
]
