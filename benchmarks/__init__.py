"""Measurements of what docs/performance.md claims, each beside a reference of the same run: `python -m benchmarks`.

A slow machine makes a claim and its reference slow alike; so what fails here has become slower by itself.
"""
