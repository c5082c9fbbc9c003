"""Readers of bills of quantities: one module per dialect, free of Django."""
