"""Two schedulers, and thereby two sweepers: each due time is started once, whoever is killed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from .books import assert_balanced, assert_nothing_waits, assert_said
from .program import Program, Spawned
from .scale import SOAK, seeded
from .servers import MARK
from .site import Site

pytestmark = pytest.mark.faults

TICKS = 60 if SOAK else 20
KILLS = 6 if SOAK else 2
SECOND = timedelta(seconds=1)


def frequent_scheduler(site: Site) -> Program:
    """`manage.py schedule` with the tasks of `FREQUENT`; an interpreter of its own, for its settings differ."""
    name = f"frequent-{1 + sum(program.name.startswith('frequent') for program in site.programs)}"
    environment = site.servers.environment(**{MARK: site.mark, "FAULTS_SCHEDULE": "tests.faults.schedule.FREQUENT"})
    program = Spawned(name, site.logs / f"{name}.log", ["manage.py", "schedule"], environment)
    site.programs.append(program)
    return program


def ticks(site: Site) -> list[datetime]:
    """Due times that were started, in order, each as often as it was."""
    started = "SELECT due_at FROM jobs_scheduledrun WHERE task_id = 'ticks' AND job_id IS NOT NULL ORDER BY due_at"
    return [row[0] for row in site.rows(started)]


def wait_for(site: Site, *programs: Program) -> None:
    """Until they have begun: whoever is told to stop before that just ends."""
    present = "SELECT pid FROM jobs_process WHERE kind = 'scheduler'"
    pids = {program.pid for program in programs}
    site.wait_until(lambda: pids <= {row[0] for row in site.rows(present)}, "the schedulers begin")


def stop(site: Site, *programs: Program) -> None:
    """What they have started gets done by others: a scheduler that has nothing listed, and only sweeps."""
    wait_for(site, *programs)
    for program in programs:
        program.terminate()
        assert program.wait() == 0
    wait_for(site, site.scheduler())
    site.wait_until(lambda: site.ended() == jobs(site), "every job ends")


def test_two_schedulers_start_each_due_time_once_though_one_is_killed(site: Site) -> None:
    rng = seeded("schedulers")
    schedulers = [frequent_scheduler(site) for _ in range(2)]
    site.worker()
    kill_at = sorted(rng.sample(range(3, TICKS - 3), KILLS))
    wait_for(site, *schedulers)

    for number in kill_at:
        site.wait_until(lambda until=number: len(ticks(site)) >= until, f"{number} ticks")  # type: ignore[misc]
        which = rng.randrange(2)
        site.note(f"{schedulers[which].name} is killed")
        schedulers[which].kill()
        schedulers[which] = frequent_scheduler(site)
    site.wait_until(lambda: len(ticks(site)) >= TICKS, f"{TICKS} ticks")
    stop(site, *schedulers)

    times = ticks(site)
    assert times == [times[0] + number * SECOND for number in range(len(times))]  # none twice, none missing
    of_runs = site.value("SELECT count(*) FROM jobs_scheduledrun WHERE job_id IS NOT NULL")
    assert of_runs == jobs(site)  # no job without its run, no run but one of a job
    entries = assert_balanced(site, count=jobs(site))
    assert_slow_ones_did_not_pile_up(site)
    assert_nothing_waits(site)
    assert_said(site, entries)
    site.stop_all()


def jobs(site: Site) -> int:
    return int(site.value("SELECT count(*) FROM jobs_job"))


def assert_slow_ones_did_not_pile_up(site: Site) -> None:
    """Of a task whose runs must not overlap no job began before the one before it had ended, and every due time that
    was noticed has either a job or the reason why not."""
    rows = site.rows(
        "SELECT job.started_at, job.finished_at FROM jobs_scheduledrun run JOIN jobs_job job ON job.id = run.job_id"
        " WHERE run.task_id = 'slow' ORDER BY job.created_at"
    )
    assert len(rows) > 1
    assert all(ended <= began for (_, ended), (began, _) in pairwise(rows))
    silent = "SELECT count(*) FROM jobs_scheduledrun WHERE job_id IS NULL AND left(note, 8) <> 'Skipped:'"
    assert site.value(silent) == 0


def test_a_scheduler_lives_through_a_restart_of_the_database(site: Site) -> None:
    scheduler = frequent_scheduler(site)
    site.worker()
    site.wait_until(lambda: len(ticks(site)) >= 2, "the first ticks")
    site.restart_postgres(kill=True)
    before = len(ticks(site))
    site.wait_until(lambda: len(ticks(site)) >= before + 5, "it goes on")
    stop(site, scheduler)
    times = ticks(site)
    assert times == [times[0] + number * SECOND for number in range(len(times))]
    assert_balanced(site, count=jobs(site))
    site.stop_all()


def test_a_scheduler_works_without_redis(site: Site) -> None:
    site.stop_redis()
    scheduler = frequent_scheduler(site)
    site.worker()
    site.wait_until(lambda: len(ticks(site)) >= 5 and site.ended() >= 5, "ticks are started and done")
    site.start_redis()
    stop(site, scheduler)
    times = ticks(site)
    assert times == [times[0] + number * SECOND for number in range(len(times))]
    assert_balanced(site, count=jobs(site))
    site.stop_all()
