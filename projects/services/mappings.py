"""Mappings of plain tables: checked when given, remembered by an organisation for tables with the same titles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from ..exceptions import Refused
from ..models import TableMapping
from ..parsers.bill import ParseError
from ..parsers.table_mapping import Mapping, MappingProposal, propose_mapping


def checked_mapping(values: Any) -> dict[str, Any]:
    """The mapping as JSON, completed with defaults. Raises Refused("bad_mapping") with what is wrong."""
    try:
        checked: dict[str, Any] = json.loads(mapping_of(values).to_json())
    except ParseError as error:
        raise Refused(str(error), code=error.code) from error
    return checked


def mapping_of(values: Any) -> Mapping:
    """Raises ParseError("bad_mapping")."""
    return Mapping.from_json(values if isinstance(values, str) else json.dumps(values))


def recalled_mapping(*, path: Path, filename: str, organisation_id: UUID) -> Mapping | None:
    """What somebody of the organisation confirmed for a table with these titles, applied to this file's sheet."""
    proposal = propose_mapping(path, filename)
    row = TableMapping.objects.filter(organisation_id=organisation_id, titles=_titles(proposal)).first()
    if row is None:
        return None
    found, remembered = proposal.mapping, mapping_of(row.mapping)
    return replace(
        remembered,
        sheet=found.sheet,
        header_row=found.header_row if found.header_row >= 0 else remembered.header_row,
        delimiter=found.delimiter,
        encoding=found.encoding,
    )


def remember_mapping(
    *, path: Path, filename: str, organisation_id: UUID, mapping: Mapping, actor_id: UUID | None
) -> None:
    """Upsert by (organisation, titles). A table without titles can't be recognised, so nothing is remembered."""
    titles = _titles(propose_mapping(path, filename))
    if not titles.strip():
        return
    TableMapping.objects.update_or_create(
        organisation_id=organisation_id,
        titles=titles,
        defaults={"mapping": json.loads(mapping.to_json()), "confirmed_by_id": actor_id},
    )


def _titles(proposal: MappingProposal) -> str:
    """The row of titles that was found; where none of its words is known, the first row, which holds them then."""
    titles = [column.title for column in proposal.columns]
    if not any(titles) and proposal.sample:
        titles = list(proposal.sample[0])
    return "\t".join(title.strip().lower() for title in titles)
