"""Asking models, and what is written down about it. `ai.ask` is the way in."""
