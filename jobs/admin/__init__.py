"""What staff see of background work. Importing the modules registers them."""

from .jobs import JobAdmin

__all__ = ["JobAdmin"]
