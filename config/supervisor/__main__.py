"""`python -m config.supervisor`"""

import os
import signal
import sys
from types import FrameType

from config.embedded.errors import ServicesError
from config.embedded.layout import default_root
from config.supervisor.output import Console
from config.supervisor.plan import PLUMBLINE
from config.supervisor.ports import PortTaken
from config.supervisor.supervisor import Supervisor


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    console = Console()
    supervisor = Supervisor(default_root(), PLUMBLINE, console)

    def leave(_number: int, _frame: FrameType | None) -> None:
        supervisor.interrupt()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        return supervisor.run()
    except (ServicesError, PortTaken) as error:
        console.alarm(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
