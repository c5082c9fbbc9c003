"""What staff see of tenders. Importing the modules registers them."""

from .assessment import CompanyProfileAdmin, DecisionAdmin, EnrichmentAdmin, SavedSearchAdmin, ScoreAdmin
from .sources import ImportAdmin, RejectionAdmin, SourceAdmin
from .tenders import TenderAdmin, TenderReleaseAdmin

__all__ = [
    "CompanyProfileAdmin",
    "DecisionAdmin",
    "EnrichmentAdmin",
    "ImportAdmin",
    "RejectionAdmin",
    "SavedSearchAdmin",
    "ScoreAdmin",
    "SourceAdmin",
    "TenderAdmin",
    "TenderReleaseAdmin",
]
