"""Templates of calls, and the versions of the rubrics that calls of theirs are judged by.

A version is never changed: grades belong to it. Of two people who edit at once, the second is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ...models import Criterion, Rubric, TrainingTemplate
from ...training_exceptions import BadTemplate, ChangedMeanwhile, TemplateArchived
from .access import categories_for, changeable_template, clauses_for, coached_organisation
from .criteria import CriterionDraft, checked, drafts_of, hash_of, keyed

if TYPE_CHECKING:
    from accounts.models import User

EDITABLE = ("name", "scenario", "persona", "category_id")
LONGEST_NAME, LONGEST_TEXT, LONGEST_NOTE = 200, 20_000, 200


def create_template(
    *,
    actor: User,
    organisation_id: UUID,
    name: str,
    scenario: str = "",
    persona: str = "",
    category_id: UUID | None = None,
    criteria: Sequence[CriterionDraft] = (),
    note: str = "",
) -> TrainingTemplate:
    """With the first version of its rubric where there are criteria. Raises TemplateMissing, CoachesOnly,
    BadTemplate."""
    organisation = coached_organisation(organisation_id=organisation_id, user=actor)
    fields = {"name": name, "scenario": scenario, "persona": persona, "category_id": category_id}
    template = TrainingTemplate(
        organisation=organisation, user=actor, **_checked_fields(fields, actor, organisation_id)
    )
    with transaction.atomic():
        template.save(force_insert=True)
        if criteria:
            _write(template=template, criteria=criteria, actor=actor, note=note)
    return template


def edit_template(
    *, template_id: UUID, actor: User, changes: Mapping[str, Any], seen: datetime | None = None
) -> TrainingTemplate:
    """Bring the EDITABLE fields that are told to this. `seen`: its `updated_at` when it was opened; None: whatever it
    is. Raises TemplateMissing, CoachesOnly, BadTemplate, ChangedMeanwhile."""
    template = changeable_template(template_id=template_id, user=actor)
    values = _checked_fields(
        {name: changes[name] for name in EDITABLE if name in changes}, actor, template.organisation_id
    )
    with transaction.atomic():
        template = TrainingTemplate.objects.select_for_update().get(pk=template_id)
        if seen is not None and template.updated_at != seen:
            raise ChangedMeanwhile(
                "Somebody else has changed this template since you opened it. "
                "Look at it as it is now, then save again.",
                extra={"seen": template.updated_at.isoformat()},
            )
        changed = [name for name, value in values.items() if getattr(template, name) != value]
        for name in changed:
            setattr(template, name, values[name])
        if changed:
            template.save(update_fields=[*(name.removesuffix("_id") for name in changed), "updated_at"])
    return template


def write_rubric(
    *, template_id: UUID, criteria: Sequence[CriterionDraft], actor: User, note: str = "", seen: int | None = None
) -> Rubric:
    """The next version; the current one where nothing differs from it. Calls graded before keep their version.

    `seen`: the number of the version that was edited (0: there was none); None: whatever it is. Raises TemplateMissing,
    CoachesOnly, BadTemplate, TemplateArchived, ChangedMeanwhile.
    """
    template = changeable_template(template_id=template_id, user=actor)
    with transaction.atomic():
        template = TrainingTemplate.objects.select_for_update().get(pk=template.pk)
        if template.archived_at:
            raise TemplateArchived("This template is archived. Take it out of the archive to change it.")
        return _write(template=template, criteria=criteria, actor=actor, note=note, seen=seen)


def archive_template(*, template_id: UUID, actor: User) -> TrainingTemplate:
    """It is assigned and uploaded to no more; its calls stay. Twice is once. Raises TemplateMissing, CoachesOnly."""
    return _archive(template_id, actor, timezone.now())


def restore_template(*, template_id: UUID, actor: User) -> TrainingTemplate:
    """Take it out of the archive. Raises TemplateMissing, CoachesOnly."""
    return _archive(template_id, actor, None)


def current_rubric(*, template_id: UUID) -> Rubric | None:
    """The newest version; None: there is none yet."""
    found: Rubric | None = Rubric.objects.filter(template_id=template_id).order_by("-number").first()
    return found


def _archive(template_id: UUID, actor: User, at: datetime | None) -> TrainingTemplate:
    changeable_template(template_id=template_id, user=actor)
    with transaction.atomic():
        template = TrainingTemplate.objects.select_for_update().get(pk=template_id)
        if (template.archived_at is None) != (at is None):
            template.archived_at = at
            template.save(update_fields=["archived_at", "updated_at"])
    return template


def _write(
    *,
    template: TrainingTemplate,
    criteria: Sequence[CriterionDraft],
    actor: User,
    note: str,
    seen: int | None = None,
) -> Rubric:
    """Holding the template's row: versions of a template are written one after the other."""
    current = current_rubric(template_id=template.pk)
    number = current.number if current else 0
    if seen is not None and seen != number:
        raise ChangedMeanwhile(
            "Somebody else has written another version of this rubric since you opened it. "
            "Look at it as it is now, then save again.",
            extra={"seen": number},
        )
    if len(note := " ".join(note.split())) > LONGEST_NOTE:
        raise _bad("note", f"At most {LONGEST_NOTE} characters.")
    named = {pk for draft in criteria for pk in draft.clause_ids}
    allowed = clauses_for(user=actor, organisation_id=template.organisation_id).filter(pk__in=named)
    tidy = checked(criteria, clause_ids=allowed.values_list("pk", flat=True))
    former = Criterion.objects.filter(rubric__template=template).order_by("rubric__number", "position")
    drafts = keyed(tidy, former=former)
    content_hash = hash_of(drafts)
    # What is stored tells, not the hash beside it: it may come from an older way of working it out.
    if current is not None and hash_of(drafts_of(current)) == content_hash:
        return current
    rubric = Rubric.objects.create(
        template=template, number=number + 1, content_hash=content_hash, note=note, created_by=actor
    )
    _lay_down(rubric, drafts)
    return rubric


def _lay_down(rubric: Rubric, drafts: Sequence[CriterionDraft]) -> None:
    rows = Criterion.objects.bulk_create(
        Criterion(
            rubric=rubric,
            position=position,
            key=draft.key,
            name=draft.name,
            description=draft.description,
            kind=draft.kind,
            weight=draft.weight,
            rule=dict(draft.rule),
            levels=[dict(level) for level in draft.levels],
        )
        for position, draft in enumerate(drafts, 1)
    )
    through = Criterion.clauses.through
    through.objects.bulk_create(
        through(criterion_id=row.pk, clause_id=clause_id)
        for row, draft in zip(rows, drafts, strict=True)
        for clause_id in draft.clause_ids
    )


def _checked_fields(fields: dict[str, Any], actor: User, organisation_id: UUID) -> dict[str, Any]:
    """Those that are told, as they are stored. Raises BadTemplate."""
    values = dict(fields)
    if "name" in values:
        values["name"] = " ".join(str(values["name"]).split())
        if not 1 <= len(values["name"]) <= LONGEST_NAME:
            raise _bad("name", f"A template has a name, of at most {LONGEST_NAME} characters.")
    for name in ("scenario", "persona"):
        if name in values:
            values[name] = str(values[name]).strip()
            if len(values[name]) > LONGEST_TEXT:
                raise _bad(name, f"At most {LONGEST_TEXT:,} characters.")
    category_id = values.get("category_id")
    if category_id is not None:
        rows = categories_for(user=actor, organisation_id=organisation_id)
        if not rows.filter(pk=category_id).exists():
            raise _bad("category", "There is no such category, or not all members of the organisation can see it.")
    return values


def _bad(name: str, message: str) -> BadTemplate:
    return BadTemplate("The template can't be like that: see errors.", extra={"errors": {name: [message]}})
