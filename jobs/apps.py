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
        from .limits import checks as limit_checks  # noqa: F401
        from .schedule import checks as schedule_checks  # noqa: F401
        from .schedule import handlers as schedule_handlers  # noqa: F401
        from .services.aftermath import on_ended
        from .webhooks import checks as webhook_checks  # noqa: F401
        from .webhooks import handlers as webhook_handlers  # noqa: F401
        from .webhooks.job_events import tell_of_end

        on_ended(tell_of_end)
        on_withdrawn(close_what_was_withdrawn)
