"""Settings of the processes that fault tests start: the tests' own, with kinds of jobs to do harm with."""

from __future__ import annotations

import os

from config.settings.logs import logging_for
from config.settings.testing import *  # noqa: F403
from config.settings.testing import INSTALLED_APPS as _INSTALLED_APPS

INSTALLED_APPS = [*_INSTALLED_APPS, "tests.faults.apps.FaultsConfig"]
JOBS_SCHEDULE = os.environ.get("FAULTS_SCHEDULE", "tests.faults.schedule.NOTHING")
JOBS_LEASE_S = float(os.environ["JOBS_LEASE_S"])
AI_BACKOFF_S = (0.1, 1.0)
LOGGING = logging_for("console")
