"""Cron expressions: what is read, when they are due, what they are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import run_checks
from hypothesis import given
from hypothesis import strategies as st

from jobs.schedule import Task, cron, listed

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EXPRESSIONS = ("* * * * *", "*/7 * * * *", "10 1 * * *", "0 9 * * mon-fri", "0 0 29 2 *", "* * * * * */3")


@pytest.mark.parametrize("expression", [*EXPRESSIONS, "0 0 1,15 * *", "5-10/2 3 * jan *"])
def test_expressions_of_five_and_six_fields_are_read(expression: str) -> None:
    assert cron.is_valid(expression)


@pytest.mark.parametrize(
    "expression", ["", "* * * *", "61 * * * *", "@daily", "R * * * *", "H * * * *", "* * * * * * 2030", "a b c d e"]
)
def test_what_is_no_expression_or_differs_between_processes_is_refused(expression: str) -> None:
    assert not cron.is_valid(expression)
    with pytest.raises(ValueError, match="no cron expression"):
        Task("name", expression, "tests.echo", "")


@given(st.sampled_from(EXPRESSIONS), st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)))
def test_next_and_last_due_time_have_nothing_between_them(expression: str, moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    last, following = cron.last_until(expression, moment), cron.next_after(expression, moment)
    assert last <= moment < following
    assert cron.next_after(expression, last) == following
    assert list(cron.between(expression, last, following)) == [last, following]
    assert cron.last_until(expression, following) == following


def test_due_times_between_include_both_ends() -> None:
    times = list(cron.between("*/20 * * * *", NOON, NOON + timedelta(hours=1)))
    assert times == [NOON + timedelta(minutes=minute) for minute in (0, 20, 40, 60)]
    assert list(cron.between("0 13 * * *", NOON, NOON + timedelta(minutes=59))) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("*/25 * * * *", "cron */25 * * * *"),
        ("30 * * * *", "every hour at minute 30"),
        ("10 1 * * *", "every day at 01:10 UTC"),
        ("0 9 * * 1", "every Monday at 09:00 UTC"),
        ("0 9 * * 7", "every Sunday at 09:00 UTC"),
        ("15 4 1 * *", "on day 1 of every month at 04:15 UTC"),
        ("* * * * * *", "every second"),
        ("* * * * * */2", "every 2 seconds"),
        ("0 9 * * 1-5", "cron 0 9 * * 1-5"),
        ("0 0 1 * 1", "cron 0 0 1 * 1"),
        ("0 0 1 1 *", "cron 0 0 1 1 *"),
        ("0 */6 * * *", "cron 0 */6 * * *"),
        ("5 * * * * 30", "cron 5 * * * * 30"),
    ],
)
def test_common_expressions_are_said_in_words_and_others_as_they_are(expression: str, words: str) -> None:
    assert cron.in_words(expression) == words


def test_the_real_schedule_is_sound() -> None:
    assert {"check-totals", "refresh-project-analytics", "trim"} <= {task.name for task in listed()}
    assert [message for message in run_checks() if (message.id or "").startswith("jobs.")] == []


UNKNOWN_KIND = (Task("night", "0 3 * * *", "nobody.knows", ""),)


def test_a_task_of_an_unknown_kind_is_told_at_the_start(settings: pytest.FixtureRequest) -> None:
    settings.JOBS_SCHEDULE = f"{__name__}.UNKNOWN_KIND"
    assert "jobs.E011" in [message.id for message in run_checks()]
    settings.JOBS_SCHEDULE = f"{__name__}.NO_SUCH_LIST"
    assert "jobs.E010" in [message.id for message in run_checks()]


def test_a_short_cron_secret_is_told_where_it_matters(settings: pytest.FixtureRequest) -> None:
    def told() -> bool:
        return "jobs.W010" in [message.id for message in run_checks(include_deployment_checks=True)]

    settings.CRON_SECRET = "short"
    assert told()
    settings.CRON_SECRET = ""
    assert not told()
