"""Workers that are started again when they die, as a supervisor does it, and killed at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .program import Program
from .site import Site, pick

Disturbance = tuple[int, Callable[[], None]]  # once so many jobs have ended, do this


class Fleet:
    """`size` workers for as long as it is tended."""

    def __init__(self, site: Site, size: int, *, may_die: bool = False) -> None:
        self.site = site
        self.may_die = may_die  # by what they run; else only by our hand
        self.members = [site.worker() for _ in range(size)]
        self.deaths: list[str] = []
        self.is_over: Callable[[], bool] = lambda: False

    def tend(self) -> None:
        for place, member in enumerate(self.members):
            if not member.is_running:
                if member.code not in member.expected or member.code == 0:
                    self.deaths.append(f"{member.name}: {member.code}")
                if self.may_die and member.code is not None:
                    member.expected = (member.code,)
                self.members[place] = self.site.worker()

    def working(self) -> list[Program]:
        """Those that have done something: a worker that only starts is no prey."""
        pids = {pid for (pid,) in self.site.rows("SELECT DISTINCT pid FROM faults_effect")}
        return [member for member in self.members if member.pid in pids and member.is_running]

    def kill_one(self, rng: random.Random) -> None:
        """Nobody, where the work is over before another worker has come to it."""
        self.site.wait_until(lambda: self.working() or self.is_over(), "a worker works", self.tend)
        if not (prey := self.working()):
            return
        victim = pick(rng, prey)
        victim.kill()
        self.site.note(f"{victim.name} (pid {victim.pid}) is killed; {self.site.ended()} jobs have ended")
        self.tend()

    def kills(self, count: int, *, of_jobs: int, rng: random.Random) -> list[Disturbance]:
        """At random points of the work, rather than of time: on a slow machine too they fall into it."""
        points = sorted(rng.sample(range(1, of_jobs * 95 // 100), count))
        return [(point, lambda: self.kill_one(rng)) for point in points]

    def see_through(self, disturbances: Sequence[Disturbance], is_over: Callable[[], bool], what: str) -> None:
        """Tend until it is over, doing each disturbance when its time has come."""
        self.is_over = is_over
        for point, disturb in sorted(disturbances, key=lambda each: each[0]):
            self.site.wait_until(lambda point=point: self.site.ended() >= point, f"{point} jobs end", self.tend)
            disturb()
        self.site.wait_until(is_over, what, self.tend)
        self.site.note(what)
        assert self.may_die or not self.deaths, f"Workers ended by themselves: {self.deaths}"
