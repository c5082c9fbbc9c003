"""What can go wrong in projects; the bases say what a caller should do."""

from __future__ import annotations

from accounts.exceptions import Conflict, Missing, Refused, Temporary


class ProjectNotFound(Missing):
    code = "project_not_found"


class PositionNotFound(Missing):
    code = "position_not_found"


class EditConflict(Conflict):
    """Someone changed the position meanwhile. `extra`: `current` and `yours`, each field: value."""

    code = "edit_conflict"


class DocumentRefused(Refused):
    """The file is not taken, or can't be read as a bill; `code` is the parser's."""

    code = "document_refused"


class ExportRefused(Refused):
    """This can't be exported, or was not true when it was read back; `code` is the writer's."""

    code = "export_refused"


class ExportMissing(Missing):
    code = "export_not_found"


class FileTooLarge(Refused):
    status = 413
    code = "file_too_large"


__all__ = [
    "Conflict",
    "DocumentRefused",
    "EditConflict",
    "ExportMissing",
    "ExportRefused",
    "FileTooLarge",
    "Missing",
    "PositionNotFound",
    "ProjectNotFound",
    "Refused",
    "Temporary",
]
