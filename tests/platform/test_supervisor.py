"""What `make run` promises about the processes that it runs."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.layout import BASE_DIR
from config.supervisor.ports import PortTaken, choose_port
from tests.platform.conftest import clean_environment, is_alive, wait_until


class Run:
    """One supervisor with stand-in programs, on services that are configured and never asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes_file = folder / "notes"
        self.notes_file.touch()
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, manner: str = "patient") -> subprocess.Popen:
        urls = {"DATABASE_URL": "postgresql://unused.invalid/x", "REDIS_URL": "redis://unused.invalid/0"}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.platform.supervised", str(self.notes_file), manner],
            cwd=BASE_DIR,
            env=clean_environment(PLUMBLINE_VAR=str(self.folder / "var"), PORT="", **urls),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        return process

    def pids(self, name: str, event: str = "starts") -> list[int]:
        """In the order of events."""
        notes = (line.split() for line in self.notes_file.read_text().splitlines())
        return [int(pid) for who, what, pid in notes if (who, what) == (name, event)]

    def wait_for_programs(self, count: int = 1) -> None:
        wait_until(lambda: len(self.pids("first")) >= count and len(self.pids("second")) >= count, "programs start")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    found = Run(tmp_path)
    yield found
    for process in found.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_steps_come_first_and_a_stop_is_orderly(run: Run) -> None:
    process = run.start()
    run.wait_for_programs()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    events = [line.rsplit(" ", 1)[0] for line in run.notes_file.read_text().splitlines()]
    assert events[0] == "step runs"
    assert events[-2:] == ["first leaves", "second leaves"]
    assert "first     │ hello from first" in output
    assert "extra failed: going on without" in output
    assert not (run.folder / "var" / "run.json").exists()


def test_a_killed_program_is_started_again(run: Run) -> None:
    process = run.start()
    run.wait_for_programs()
    os.kill(run.pids("first")[0], signal.SIGKILL)
    wait_until(lambda: len(run.pids("first")) == 2, "the program is back")
    assert len(run.pids("second")) == 1, "the other one is left alone"
    process.terminate()
    assert "first ended (SIGKILL)" in process.communicate(timeout=30)[0]


def test_a_program_that_always_fails_is_told_loudly_and_does_not_stop_the_rest(run: Run) -> None:
    process = run.start("failing")
    wait_until(lambda: len(run.pids("second")) >= 6, "it is tried again after its fifth death")
    assert len(run.pids("first")) == 1
    assert is_alive(run.pids("first")[0])
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert "second ended (exit code 7)" in output
    assert "second ended 5 times" in output
    assert process.returncode == 0


def test_a_second_interrupt_ends_programs_that_do_not_listen(run: Run) -> None:
    process = run.start("stubborn")
    run.wait_for_programs()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert any("stopping" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not any(map(is_alive, run.pids("first") + run.pids("second")))


def test_a_second_supervisor_says_where_the_first_one_is(run: Run) -> None:
    first = run.start()
    run.wait_for_programs()
    wait_until((run.folder / "var" / "run.json").exists, "the first one writes down where it is")
    second = run.start()
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert "http://127.0.0.1:" in output
    assert f"process {first.pid}" in output
    assert is_alive(run.pids("first")[0])


def test_after_a_killed_supervisor_the_next_one_starts_afresh(run: Run) -> None:
    first = run.start()
    run.wait_for_programs()
    wait_until((run.folder / "var" / "run.json").exists, "it writes down what it runs")
    first.kill()
    second = run.start()
    run.wait_for_programs(count=2)
    wait_until(lambda: not is_alive(run.pids("first")[0]) and not is_alive(run.pids("second")[0]), "the old ones end")
    second.terminate()
    second.communicate(timeout=30)
    assert second.returncode == 0


def test_the_port_asked_for_must_be_free_and_the_usual_one_has_substitutes(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 is taken"):
            choose_port("127.0.0.1", str(port))
        monkeypatch.setattr("config.supervisor.ports.FIRST_PORT", port)
        assert choose_port("127.0.0.1", None) > port
    with pytest.raises(PortTaken, match="not a port number"):
        choose_port("127.0.0.1", "http")
