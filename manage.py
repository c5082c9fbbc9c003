#!/usr/bin/env python
"""Django's command line, on a machine that may have neither PostgreSQL nor Redis."""

import os
import sys

# Commands that read neither database nor Redis start nothing.
WITHOUT_SERVICES = {
    "help",
    "version",
    "--help",
    "-h",
    "--version",
    "check",
    "collectstatic",
    "compare_bills",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "replay_certificate",
    "spectacular",
    "startapp",
}


def needs_services(arguments: list[str]) -> bool:
    """Whether a command line (without the program's name) touches the database or Redis."""
    if not arguments or "--help" in arguments or "-h" in arguments:
        return False
    if arguments[0] == "check":
        return any(argument.startswith("--database") for argument in arguments)
    if arguments[0] == "audit_file":
        return "--save" in arguments
    return arguments[0] not in WITHOUT_SERVICES


def settings_module(arguments: list[str]) -> str:
    """The settings module, as Django finds it: `--settings` first, then the environment."""
    for position, argument in enumerate(arguments):
        if argument.startswith("--settings="):
            return argument.partition("=")[2]
        if argument == "--settings" and position + 1 < len(arguments):
            return arguments[position + 1]
    return os.environ["DJANGO_SETTINGS_MODULE"]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    arguments = sys.argv[1:]
    # Production names its servers; a missing URL there is an error to be told, not a reason to start a server.
    if needs_services(arguments) and not settings_module(arguments).endswith(".production"):
        from config.embedded.client import attach
        from config.embedded.errors import ServicesError

        try:
            attach()
        except ServicesError as error:
            sys.exit(f"Services: {error}")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
