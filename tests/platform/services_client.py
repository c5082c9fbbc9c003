"""A process that attaches to services, for tests that need more than one, and need to kill them.

    python -m tests.platform.services_client ROOT [lasting]

Prints one line of JSON (the URLs, or the error) and then stays until its standard input ends.
`lasting` asks for services that keep their data through a crash, as they do outside of tests.
"""

import json
import os
import sys
from pathlib import Path

from config.embedded.client import attach
from config.embedded.errors import ServicesError


def tell(answer: dict) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    try:
        attach(Path(sys.argv[1]), testing="lasting" not in sys.argv)
    except ServicesError as error:
        tell({"error": str(error)})
        sys.exit(1)
    tell({name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")})
    sys.stdin.read()


if __name__ == "__main__":
    main()
