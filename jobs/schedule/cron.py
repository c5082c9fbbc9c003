"""Cron expressions: when they are due, and what they mean in words. Always UTC: no hour is missing or comes twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from croniter import croniter

# Five fields (minute, hour, day, month, weekday), or six with seconds last. croniter reads more: words such as
# "@daily", and R and H, whose times differ from one process to the next.
FIELD = r"(?:[0-9*/,-]+|(?i:[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3})*))"
EXPRESSION = re.compile(rf"{FIELD}(?: {FIELD}){{4,5}}")
JUST_AFTER = timedelta(microseconds=1)

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def is_valid(cron: str) -> bool:
    return EXPRESSION.fullmatch(cron) is not None and bool(croniter.is_valid(cron))


def next_after(cron: str, moment: datetime) -> datetime:
    """The first due time after the moment."""
    due: datetime = croniter(cron, moment).get_next(datetime)
    return due


def last_until(cron: str, moment: datetime) -> datetime:
    """The last due time that is not after the moment."""
    due: datetime = croniter(cron, moment + JUST_AFTER).get_prev(datetime)
    return due


def between(cron: str, first: datetime, last: datetime) -> Iterator[datetime]:
    """Every due time from `first` to `last`, both included."""
    times = croniter(cron, first - JUST_AFTER)
    due: datetime = times.get_next(datetime)
    while due <= last:
        yield due
        due = times.get_next(datetime)


def in_words(cron: str) -> str:
    """ "every day at 03:15 UTC" for the common forms, "cron …" for all others: rather the bare fields than a guess."""
    fields = cron.split(" ")
    if len(fields) != 5:
        return _with_seconds(cron)
    minute, hour, day, month, weekday = fields
    if month != "*" or (day != "*" and weekday != "*"):
        return f"cron {cron}"
    if hour == day == weekday == "*":
        return _within_the_hour(minute) or f"cron {cron}"
    if not minute.isdecimal() or not hour.isdecimal():
        return f"cron {cron}"
    at = f"at {int(hour):02}:{int(minute):02} UTC"
    if day == weekday == "*":
        return f"every day {at}"
    if day == "*" and weekday in "01234567":
        return f"every {DAYS[int(weekday) % 7]} {at}"
    if weekday == "*" and day.isdecimal():
        return f"on day {int(day)} of every month {at}"
    return f"cron {cron}"


def _within_the_hour(minute: str) -> str:
    if minute == "*":
        return "every minute"
    if minute.isdecimal():
        return f"every hour at minute {int(minute)}"
    step = minute.removeprefix("*/")
    # A step that does not divide the hour is no interval: */25 is due at 0, 25, 50 and then at 0 again.
    return f"every {step} minutes" if step.isdecimal() and int(step) > 1 and 60 % int(step) == 0 else ""


def _with_seconds(cron: str) -> str:
    rest, _, second = cron.rpartition(" ")
    step = second.removeprefix("*/")
    if rest == "* * * * *" and second == "*":
        return "every second"
    if rest == "* * * * *" and step != second and step.isdecimal() and int(step) > 1 and 60 % int(step) == 0:
        return f"every {step} seconds"
    return f"cron {cron}"
