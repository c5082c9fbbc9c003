"""Tenders: where notices come from, what was published, what it means to a firm, and what the firm decided."""

from .assessment import CompanyProfile, Decision, Enrichment, SavedSearch, Score
from .source import Import, Rejection, Source
from .tender import Tender, TenderRelease

__all__ = [
    "CompanyProfile",
    "Decision",
    "Enrichment",
    "Import",
    "Rejection",
    "SavedSearch",
    "Score",
    "Source",
    "Tender",
    "TenderRelease",
]
