"""A supervisor with small programs in the place of web, workers and scheduler.

    python -m tests.platform.supervised NOTES [failing | stubborn]

The programs write what happens to them into the file NOTES, one line each.
"""

import os
import signal
import sys

from config.embedded.layout import default_root
from config.supervisor.output import Console
from config.supervisor.plan import Plan, Program, Step
from config.supervisor.supervisor import Supervisor

PROGRAM = """
import os, signal, sys, time
def note(text):
    with open(sys.argv[2], "a") as notes: notes.write(f"{sys.argv[1]} {text} {os.getpid()}\\n")
def leave(*_):
    note("leaves"); sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[3] == "stubborn" else leave)
note("starts")
print("hello from", sys.argv[1])
if sys.argv[3] == "failing" and sys.argv[1] == "second": sys.exit(7)
while True: time.sleep(0.05)
"""


def main() -> int:
    notes, manner = sys.argv[1], (sys.argv[2:] or ["patient"])[0]

    def program(name: str) -> Program:
        return Program(name, ("-c", PROGRAM, name, notes, manner))

    def steps() -> list[Step]:
        told = f"import os; print('DATABASE_URL' in os.environ); open({notes!r}, 'a').write('step runs 0\\n')"
        return [Step("prepare", ("-c", told)), Step("extra", ("-c", "raise SystemExit(3)"), is_vital=False)]

    def stages(_host: str, _port: int) -> list[list[Program]]:
        return [[program("first")], [program("second")]]

    supervisor = Supervisor(default_root(), Plan(steps, stages), Console())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.interrupt())
    return supervisor.run()


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(main())
