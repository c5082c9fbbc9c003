"""Faults with real processes and servers of their own, which may be killed: see site.py."""
