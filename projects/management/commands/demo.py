"""`manage.py demo`: the demo's people and projects, and the main job in the terminal."""

from __future__ import annotations

import secrets
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from accounts.exceptions import PlumblineError, Refused
from projects.demo import loading
from projects.demo.people import OWNER, PASSWORD, PEOPLE
from projects.management.commands._terminal import ProgressBar, fail, print_audit, print_json
from projects.services.terminal import FileAudit, stored_audit

PRODUCTION = "config.settings.production"


class Command(BaseCommand):
    help = "Load the demo (people, three projects with known faults) and show a bill being audited. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do nothing when the demo is there already.")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")
        parser.add_argument("--force", action="store_true", help="Also under production settings, with a new password.")

    def handle(self, *args: Any, once: bool, force: bool, **options: Any) -> None:
        as_json: bool = options["json"]
        bar = ProgressBar(sys.stderr, silent=as_json)
        began = time.perf_counter()
        try:
            password = _password(force)
            if once and loading.is_loaded():
                loaded, audit = loading.load(password=password, progress=bar), None
            else:
                loaded, audit = _shown(password, bar)
        except PlumblineError as error:
            fail("demo", error, as_json=as_json, bar=bar)
        except KeyboardInterrupt:
            bar.clear()
            raise SystemExit(130) from None
        seconds = time.perf_counter() - began
        bar.clear()
        told = _told(loaded, password)
        if as_json:
            print_json(told | ({"audit": audit.as_json(seconds)} if audit else {}))
            return
        if audit is not None:
            print(f"{loading.BUILDING}\n")
            print_audit(audit, seconds)
            print()
        _print_sign_in(told)


def _password(force: bool) -> str:
    """The well-known one; on a server, where it would be an open door, a random one. Raises Refused."""
    if settings.SETTINGS_MODULE != PRODUCTION:
        return PASSWORD
    if not force:
        raise Refused("The demo has no place among production settings. Add --force if you mean it.", code="production")
    return secrets.token_urlsafe(15)


def _shown(password: str, bar: ProgressBar) -> tuple[loading.Loaded, FileAudit]:
    """Load, or, where all is loaded, audit the building once more; then what its audit says."""
    loaded = loading.load(password=password, progress=bar)
    building = loaded.projects[0]
    if not loaded.is_new:
        building = loading.audit_again(project=building, actor=loaded.owner, progress=bar)
    return loaded, stored_audit(project=building)


def _told(loaded: loading.Loaded, password: str) -> dict[str, Any]:
    """The password only where it opens the door: somebody may have changed it since."""
    site = settings.SITE_URL.rstrip("/")
    return {
        "address": f"{site}/",
        "email": OWNER.email,
        "password": password if loaded.owner.check_password(password) else None,
        "is_new": loaded.is_new,
        "people": [{"email": p.email, "role": "staff" if p.is_staff else str(p.role)} for p in PEOPLE],
        "projects": [
            {"name": p.name, "id": str(p.pk), "address": site + reverse("projects:detail", args=[p.pk])}
            for p in loaded.projects
        ],
    }


def _print_sign_in(told: dict[str, Any]) -> None:
    print("The demo is loaded." if told["is_new"] else "The demo is there.")
    for project in told["projects"]:
        print(f"  {project['name']:<30} {project['address']}")
    password = told["password"] or "the one it was given"
    print(f"Sign in at {told['address']} as {told['email']}, password: {password}")
    others = ", ".join(f"{p['email']} ({p['role']})" for p in told["people"][1:])
    print(f"Also, with the same password: {others}")
