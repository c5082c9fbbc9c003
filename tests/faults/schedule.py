"""Schedules of the fault tests. `NOTHING` unless a test asks for more: what the real one starts at night would be
counted among a test's own jobs."""

from __future__ import annotations

from jobs.schedule import Task

NOTHING: tuple[Task, ...] = ()

# `ticks`: every second counts, even those at which nobody looked. `slow`: as the nightly ones are, only more often.
FREQUENT = (
    Task("ticks", "* * * * * *", "faults.effect", "Each second", params={"n": 1}, each_time=True),
    Task("slow", "* * * * * */2", "faults.effect", "Every other second, one at a time", params={"n": 40}),
)
