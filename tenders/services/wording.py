"""Words of tenders as they are searched: folded as everywhere."""

from __future__ import annotations

from analytics.search.folding import folded

__all__ = ["folded"]
