"""Writes and calculations of tenders."""
