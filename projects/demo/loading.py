"""Puts the demo into the database, through the same services as everybody. Idempotent, step by step: a load that was
interrupted is taken up where it stopped."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from accounts.models import User

from ..models import Finding, FindingOverride, Position, Project
from ..parsers.writers.kros_xlsx import write_kros_xlsx
from ..services.auditing import start_audit
from ..services.editing import edit_position
from ..services.opening import change_project, open_project
from ..services.overrides import override_finding
from ..services.terminal import Progress, finish_jobs, upload_file
from .building_faults import FAULTY_BILL, faulty_building
from .gaeb import bid_xml, tender_xml
from .people import OWNER, PEOPLE, bring_in, organisation_of
from .sports_hall import HALL

BUILDING = "Bytový dům Na Lukách"
SPORTS_HALL = "Einfeldsporthalle Lindenau"
EMPTY = "Rekonstrukce školní jídelny"
DESCRIPTIONS = {
    BUILDING: "Priced bill of twelve flats (KROS), with faults put in on purpose. Version 2 prices the window boards.",
    SPORTS_HALL: "A German tender (X83) and the bid on it (X84), joined.",
    EMPTY: "Rebuilding the kitchen and the dining hall of a primary school.",
}

# What a person did after the first audit
UNPRICED_CODE, PRICE = "766694116", Decimal("286.00")
OVERRIDDEN_CODE, OVERRIDDEN_RULE = "28411051", "S06"
REASON = "The client supplies the rest of the vinyl from stock (letter of 12 March 2026)."


@dataclass(frozen=True, slots=True)
class Loaded:
    owner: User
    projects: tuple[Project, ...]  # the building first
    is_new: bool  # False: everything was there


def is_loaded() -> bool:
    """Whether every person, project, version and decision of the demo is there."""
    if not all(User.objects.filter(email=person.email).exists() for person in PEOPLE):
        return False
    projects = {project.name: project for project in _own_projects()}
    if not {BUILDING, SPORTS_HALL, EMPTY} <= projects.keys():
        return False
    return _is_edited(projects[BUILDING]) and _is_decided(projects[BUILDING]) and _has_bid(projects[SPORTS_HALL])


def load(*, password: str, progress: Progress) -> Loaded:
    """People, three projects, a second version, an overridden finding. Jobs run in this process: no worker is needed.

    What a person has changed in the demo since stays. Raises DocumentRefused when a job fails.
    """
    is_new = not is_loaded()
    owner = bring_in(password=password)
    building, hall, empty = (_opened(owner, name) for name in (BUILDING, SPORTS_HALL, EMPTY))
    if is_new:
        _fill_building(building, owner, progress)
        _fill_hall(hall, owner, progress)
    projects = tuple(Project.objects.get(pk=project.pk) for project in (building, hall, empty))
    return Loaded(owner, projects, is_new)


def audit_again(*, project: Project, actor: User, progress: Progress) -> Project:
    """The main job once more: audit the current version here and now."""
    start_audit(project_id=project.pk, actor=actor)
    finish_jobs(project_id=project.pk, progress=progress)
    return Project.objects.get(pk=project.pk)


def write_building(path: Path) -> None:
    """The building's file, faults included; the same bytes each time, so that an upload of it is recognised."""
    write_kros_xlsx(path, faulty_building(), bill=FAULTY_BILL)


def _own_projects() -> list[Project]:
    return list(Project.objects.filter(owner__email=OWNER.email, name__in=(BUILDING, SPORTS_HALL, EMPTY)))


def _opened(owner: User, name: str) -> Project:
    existing = next((project for project in _own_projects() if project.name == name), None)
    if existing is not None:
        return existing
    return open_project(
        actor=owner, name=name, description=DESCRIPTIONS[name], organisation_id=organisation_of(owner).pk
    )


def _fill_building(project: Project, owner: User, progress: Progress) -> None:
    finish_jobs(project_id=project.pk, progress=progress)  # of an interrupted load
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        path = Path(folder) / "Bytovy_dum_Na_Lukach.xlsx"
        write_building(path)
        _bring(project, owner, path, progress)
    project.refresh_from_db()
    if not _is_edited(project):
        _price_window_boards(project, owner)
        finish_jobs(project_id=project.pk, progress=progress)
    if not _is_decided(project):
        _override_vinyl(project, owner)


def _fill_hall(project: Project, owner: User, progress: Progress) -> None:
    finish_jobs(project_id=project.pk, progress=progress)
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        for name, content in (("Lindenau.x83", tender_xml(HALL)), ("Lindenau_Angebot.x84", bid_xml(HALL))):
            path = Path(folder) / name
            path.write_bytes(content)
            _bring(project, owner, path, progress)
    project.refresh_from_db()
    if not project.currency:
        change_project(project_id=project.pk, actor=owner, changes={"currency": "EUR"})


def _bring(project: Project, owner: User, path: Path, progress: Progress) -> None:
    """Once by name, not by content: a newer release may write the file differently, which would bring it in twice."""
    if not project.documents.filter(original_filename=path.name, parse_status="completed").exists():
        upload_file(project=project, actor=owner, path=path, progress=progress)


def _price_window_boards(project: Project, owner: User) -> None:
    row = Position.objects.filter(project=project, removed_in__isnull=True, code=UNPRICED_CODE).first()
    if row is not None and row.unit_price != PRICE:
        edit_position(
            project_id=project.pk,
            lineage=row.lineage,
            actor=owner,
            seen=row.pk,
            changes={"unit_price": PRICE},
            reason="Forgotten when the windows were priced",
        )


def _override_vinyl(project: Project, owner: User) -> None:
    finding = (
        Finding.objects.of_current_positions(project.pk)
        .open()
        .filter(rule_id=OVERRIDDEN_RULE, position__code=OVERRIDDEN_CODE)
        .first()
    )
    if finding is not None:
        override_finding(finding_id=finding.pk, actor=owner, reason=REASON)


def _is_edited(project: Project) -> bool:
    return project.version_number >= 2


def _is_decided(project: Project) -> bool:
    return FindingOverride.objects.filter(project=project).exists()


def _has_bid(project: Project) -> bool:
    return project.documents.filter(parse_status="completed").count() >= 2
