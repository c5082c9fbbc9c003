"""System checks of the older file store: modes that contradict each other would lose writes, or show old figures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .services.filestore import modes


@register()
def modes_are_known(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """projects.E001, E002: a misspelt mode would silently mean one of the others."""
    found: list[CheckMessage] = []
    if settings.MIGRATION_MODE not in modes.MODES:
        hint = f"Use one of {', '.join(modes.MODES)}."
        found.append(Error(f"MIGRATION_MODE is {settings.MIGRATION_MODE!r}.", hint=hint, id="projects.E001"))
    if settings.MIGRATION_READ_FROM not in modes.READ_FROM:
        hint = f"Use one of {', '.join(modes.READ_FROM)}."
        found.append(Error(f"MIGRATION_READ_FROM is {settings.MIGRATION_READ_FROM!r}.", hint=hint, id="projects.E002"))
    return found


@register()
def modes_go_together(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """projects.E003, E004: reading what nobody writes any more, or not yet."""
    mode, source = settings.MIGRATION_MODE, settings.MIGRATION_READ_FROM
    if mode == modes.POSTGRES_ONLY and source == modes.FILES:
        hint = "Nobody writes the folders in this mode. Set MIGRATION_READ_FROM=postgres."
        return [Error("MIGRATION_MODE is postgres_only, and files are read.", hint=hint, id="projects.E003")]
    if mode == modes.FILES_ONLY and source == modes.POSTGRES:
        hint = "The tables are only as new as the last migration in this mode. Set MIGRATION_READ_FROM=files."
        return [Error("MIGRATION_MODE is files_only, and the tables are read.", hint=hint, id="projects.E004")]
    return []


@register()
def the_store_is_there(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """projects.E005: a mode that needs the folders, without folders that can be read (dual_write: written)."""
    mode = settings.MIGRATION_MODE
    if mode not in (modes.FILES_ONLY, modes.DUAL_WRITE):
        return []
    folder = settings.FILE_PROJECTS_DIR
    needed = os.R_OK | os.X_OK | (os.W_OK if mode == modes.DUAL_WRITE else 0)
    if folder and Path(folder).is_dir() and os.access(folder, needed):
        return []
    what = "is not set" if not folder else f"is {folder!r}, which can't be {'written' if needed & os.W_OK else 'read'}"
    hint = f"MIGRATION_MODE={mode} needs the folder of the older store."
    return [Error(f"FILE_PROJECTS_DIR {what}.", hint=hint, id="projects.E005")]
