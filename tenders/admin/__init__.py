"""What staff see of tenders. Importing the modules registers them."""

from .assessment import CompanyProfileAdmin, DecisionAdmin, EnrichmentAdmin, SavedSearchAdmin, ScoreAdmin
from .outgoing import CalendarFeedAdmin, ExportAdmin, TenderDocumentAdmin
from .sources import ImportAdmin, RejectionAdmin, SourceAdmin
from .tenders import TenderAdmin, TenderReleaseAdmin

__all__ = [
    "CalendarFeedAdmin",
    "CompanyProfileAdmin",
    "DecisionAdmin",
    "EnrichmentAdmin",
    "ExportAdmin",
    "ImportAdmin",
    "RejectionAdmin",
    "SavedSearchAdmin",
    "ScoreAdmin",
    "SourceAdmin",
    "TenderAdmin",
    "TenderDocumentAdmin",
    "TenderReleaseAdmin",
]
