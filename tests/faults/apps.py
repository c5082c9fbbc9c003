"""Brings the kinds of jobs of the fault tests into the processes that they start."""

from __future__ import annotations

import faulthandler
import signal

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "tests.faults"

    def ready(self) -> None:
        from . import kinds, training  # noqa: F401

        # Asked when a test fails: where is each thread of each process?
        faulthandler.register(signal.SIGUSR1, all_threads=True)
