"""Start of the app: its channels of the socket, its checks, and the hook by which suspended users lose theirs."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from accounts.services import on_withdrawn

        from . import channels, checks  # noqa: F401
        from .channels import close_what_was_withdrawn

        on_withdrawn(close_what_was_withdrawn)
