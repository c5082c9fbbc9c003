"""Tenders: where notices come from, what was published, and what could not be read."""

from .source import Import, Rejection, Source
from .tender import Tender, TenderRelease

__all__ = ["Import", "Rejection", "Source", "Tender", "TenderRelease"]
