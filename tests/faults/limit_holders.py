"""Many processes under one limit, killed by their parent while they hold places. Run as a script, with a plan in JSON:

{"name", "size", "lease_s", "port", "processes", "units", "kills", "takes_s", "test"}: each of `processes` has `units`
requests to make of the counting server. After a killed one comes another that does what is left, as a job's next
attempt would; until all kills are done there is more to do. Then `size` further processes take all places and are
killed together. Prints one JSON object. All end when the process `test` does.

The parent has no threads: children are forked, which is cheap and tests the limit's ways with a fork as well.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sys
import time
from typing import Any

from jobs.connections import queue_redis
from jobs.limits import ConcurrencyLimit, LimitBusy, LimitState, LimitUnreachable
from jobs.limits.lease import Lease


class Parent:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.limit = ConcurrencyLimit(plan["name"], plan["size"], plan["lease_s"], {"high": 2})
        self.left = {number: set(range(plan["units"])) for number in range(plan["processes"])}
        self.children: dict[int, int] = {}  # pid of each child that was not waited for yet: only these are killed
        self.kills = self.more = 0
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self.children[pid] = number
            return
        status = 1
        try:
            os.close(self.read_end)
            signal.alarm(600)  # outlive the test by no means
            work(self.limit, self.plan, number, sorted(self.left.get(number, ())), self.write_end)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)

    def work(self) -> None:
        for number in self.left:
            self.start(number)
        while self.children:
            holders = self.seen()["holders"]
            # First with many holders at once; when the work runs out before the kills do, with whoever holds a place.
            if (self.more or len(holders) >= self.limit.size / 2) and self.kills < self.plan["kills"]:
                self.kill_one_of({int(holder["who"].rsplit(":", 1)[1]) for holder in holders})
            self.note_what_is_done()
            for number in self.reap():
                if not self.left[number] and self.kills < self.plan["kills"]:
                    self.more += 1
                    self.left[number] = {self.plan["units"] + self.more}
                if self.left[number]:
                    self.start(number)
            if os.getppid() != self.plan["test"]:
                os.killpg(0, signal.SIGKILL)  # the test was killed: its processes, a group, end with it
            time.sleep(0.05)

    def seen(self) -> LimitState:
        """On a machine so loaded that Redis' answer is late, a moment later."""
        while True:
            try:
                return self.limit.state()
            except LimitUnreachable as error:
                sys.stderr.write(f"{error}\n")
                time.sleep(0.5)

    def kill_one_of(self, holders: set[int]) -> None:
        mine = sorted(holders & self.children.keys())
        if mine:
            os.kill(random.choice(mine), signal.SIGKILL)
            self.kills += 1

    def reap(self) -> list[int]:
        ended = []
        for pid in list(self.children):
            if os.waitpid(pid, os.WNOHANG)[0]:
                ended.append(self.children.pop(pid))
        self.note_what_is_done()  # what an ended child wrote before its end
        return ended

    def note_what_is_done(self) -> None:
        try:
            while data := os.read(self.read_end, 65_536):
                for line in data.decode().split("\n"):
                    if line:
                        number, unit = line.split()
                        self.left[int(number)].discard(int(unit))
        except BlockingIOError:
            return

    def last_wave(self) -> dict[str, float]:
        """All places taken, all holders killed: how long the last lease had left then, and what is held after it."""
        killed_at, held = self.all_taken_and_killed()
        while held["held"] < self.limit.size or held["waiting"]:
            # On a loaded machine a lease may run out before the kill; whoever lost it died in line, which is another
            # thing (it holds a place up until it counts as gone). Once more, when nothing is left of it.
            while (state := self.seen())["held"] or state["waiting"]:
                time.sleep(0.05)
            killed_at, held = self.all_taken_and_killed()
        last_end = max(holder["until"].timestamp() for holder in held["holders"])
        while redis_now() <= last_end:
            time.sleep(0.05)
        free = self.limit.size - self.seen()["held"]
        taken = [self.limit.acquire(timeout_s=0, queue="high") for _ in range(free)]
        return {"held": held["held"], "left_s": last_end - killed_at, "free": free, "taken": len(taken)}

    def all_taken_and_killed(self) -> tuple[float, LimitState]:
        """When, by Redis' clock, and what was held right after it."""
        for _ in range(self.limit.size):
            self.start(-1)
        while self.seen()["held"] < self.limit.size:
            time.sleep(0.05)
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        for pid in self.children:
            os.waitpid(pid, 0)
        self.children.clear()
        return redis_now(), self.seen()


def work(limit: ConcurrencyLimit, plan: dict[str, Any], number: int, units: list[int], done: int) -> None:
    queue = "high" if number % 4 == 0 or number < 0 else "default"
    while units or number < 0:
        try:
            with limit.hold(timeout_s=60, queue=queue) as lease:
                if number < 0:
                    while not lease.lost:
                        time.sleep(0.05)
                elif request(plan, f"/{number}/{units[0]}", lease):
                    os.write(done, f"{number} {units.pop(0)}\n".encode())
                    lease.succeeded()
        except (LimitBusy, LimitUnreachable) as error:
            sys.stderr.write(f"{number}: {error}\n")
            time.sleep(0.1)


def request(plan: dict[str, Any], path: str, lease: Lease) -> bool:
    """Within the lease: its timeout is what is left of it, and the server is told when it ends."""
    connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=max(lease.remaining_s, 0.001))
    takes_s = plan["takes_s"] * random.uniform(0.5, 1.5)
    try:
        connection.request("GET", path, headers={"X-Valid-Until": repr(lease.ends_at), "X-Takes": f"{takes_s:.3f}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False  # too late, or ended by the server: once more, with a new lease
    finally:
        connection.close()


def redis_now() -> float:
    seconds, microseconds = queue_redis().time()
    return float(seconds) + float(microseconds) / 1e6


def main() -> None:
    parent = Parent(json.loads(sys.argv[1]))
    parent.work()
    outcome = {"kills": parent.kills, "left": sum(map(len, parent.left.values()))}
    sys.stdout.write(json.dumps(outcome | parent.last_wave()))


if __name__ == "__main__":
    main()
