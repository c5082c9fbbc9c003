"""Start, supervise, stop in order."""

import os
import signal
import sys
import time
from pathlib import Path

from config.embedded import locks
from config.embedded.client import attach, make_root
from config.embedded.layout import Layout
from config.supervisor import runfile
from config.supervisor.child import Child
from config.supervisor.output import Console, Pump
from config.supervisor.plan import Plan, Step
from config.supervisor.ports import answers, choose_port

TURN_S = 0.2
STOP_PATIENCE_S = 15.0


class Supervisor:
    """Lock, services, steps, programs, farewell: `interrupt()` leads from anywhere to the farewell.

    One per root, by a lock. Single-threaded: the kernel ties the children's lives to the thread that started them.
    """

    def __init__(self, root: Path, plan: Plan, console: Console) -> None:
        self.layout = Layout(root)
        self.run_file = self.layout.root / "run.json"
        self.plan = plan
        self.console = console
        self.pump = Pump(console)
        self.host = os.environ.get("HOST") or "127.0.0.1"
        self.port = 0
        self.stages: list[list[Child]] = []
        self.interrupts = 0
        self.is_announced = False

    @property
    def address(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def children(self) -> list[Child]:
        return [child for stage in self.stages for child in stage]

    def interrupt(self) -> None:
        """For signal handlers. The second one stops being polite."""
        self.interrupts += 1

    def run(self) -> int:
        """The exit status: 0 after a stop, 1 when it could not start. Raises ServicesError and PortTaken."""
        make_root(self.layout)
        lock = locks.open_lock(self.layout.root / "run.lock")
        if not locks.try_exclusive(lock):
            self.console.say("run", f"Plumbline runs here already. {runfile.where(runfile.read(self.run_file))}")
            return 1
        left = runfile.read(self.run_file)
        if left is not None and runfile.end_leftovers(left):
            self.console.say("run", "ended what a killed run had left behind")
        self.port = choose_port(self.host, os.environ.get("PORT"))
        os.environ.setdefault("SITE_URL", self.address)
        attach(self.layout.root)
        if not all(self.take(step) for step in self.plan.steps()):
            return 0 if self.interrupts else 1
        self.start_programs()
        while not self.interrupts:
            self.turn()
        self.stop()
        return 0

    def take(self, step: Step) -> bool:
        """Run one step to its end, showing its output. False when nothing may follow."""
        if step.skipped_because:
            self.console.say("run", step.skipped_because)
            return not self.interrupts
        child = self.child(step.name, step.arguments)
        child.start()
        while child.is_running:
            self.pump.turn(TURN_S)
            if self.interrupts:
                child.signal(signal.SIGTERM if self.interrupts == 1 else signal.SIGKILL)
        self.pump.drain()
        if self.interrupts:
            return False
        if child.process is not None and child.process.returncode != 0:
            self.console.alarm(
                f"{step.name} failed: " + ("nothing is started" if step.is_vital else "going on without")
            )
            return not step.is_vital
        return True

    def child(self, name: str, arguments: tuple[str, ...]) -> Child:
        return Child(name, [sys.executable, *arguments], self.pump, self.console)

    def start_programs(self) -> None:
        self.stages = [
            [self.child(program.name, program.arguments) for program in stage]
            for stage in self.plan.stages(self.host, self.port)
        ]
        for child in self.children:
            child.start()
        self.write_run_file()

    def turn(self) -> None:
        self.pump.turn(TURN_S)
        before = [child.process for child in self.children]
        for child in self.children:
            child.watch()
        if before != [child.process for child in self.children]:
            self.write_run_file()
        if not self.is_announced and answers(self.host, self.port):
            self.is_announced = True
            self.console.banner(f"Plumbline is at {self.address}   (Ctrl-C stops it)")

    def write_run_file(self) -> None:
        running = {
            str(child.process.pid): " ".join(child.command) for child in self.children if child.process is not None
        }
        runfile.write(self.run_file, {"pid": os.getpid(), "address": self.address, "children": running})

    def stop(self) -> None:
        self.console.say("run", "stopping")
        for stage in self.stages:
            self.stop_stage(stage)
        self.run_file.unlink(missing_ok=True)
        self.console.say("run", "stopped; all data is kept")

    def stop_stage(self, stage: list[Child]) -> None:
        for child in stage:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_S
        while any(child.is_running for child in stage):
            self.pump.turn(TURN_S)
            if self.interrupts > 1 or time.monotonic() > deadline:
                for child in stage:
                    child.signal(signal.SIGKILL)
        self.pump.drain()
