"""The audit engine: deterministic rules of six expert roles over a prepared view of a budget. Free of Django."""
