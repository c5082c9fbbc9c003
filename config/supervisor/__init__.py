"""`make run`: everything of one checkout under one foreground process.

    python -m config.supervisor

Services, migrations, the demo, then web, workers and scheduler, restarted when they end, until Ctrl-C. In production
each process has a container of its own instead (compose.yaml, render.yaml).
"""
