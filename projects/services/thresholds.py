"""An organisation's own thresholds of the audit: who may set them, what they may be, and what the audit is given."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation
from jobs.models import Job
from jobs.services import enqueue_batch

from ..audit.thresholds import TABLE, why_refused
from ..exceptions import Missing, Refused
from ..models import Project, ThresholdSetting
from . import activity
from .overrides import LEAST_REASON

if TYPE_CHECKING:
    from accounts.models import User

PLACES = Decimal("0.000001")  # what the table keeps


def own_thresholds(*, organisation_id: UUID) -> dict[str, Decimal]:
    """What the organisation has set, by name. One query. A row of a threshold that is gone is left out."""
    rows = ThresholdSetting.objects.filter(organisation_id=organisation_id).order_by("name")
    return {name: value.normalize() for name, value in rows.values_list("name", "value") if name in TABLE}


def member_organisation(*, user: User, organisation_id: UUID | None = None) -> tuple[Organisation, bool]:
    """(organisation, whether the user owns it): the one named, else the one the user acts for.

    Raises Missing("no_organisation") for strangers too.
    """
    from accounts.querysets import acting_organisation_id

    wanted = organisation_id or acting_organisation_id(user)
    rows = Membership.objects.of(user).select_related("organisation")
    membership: Membership | None = rows.filter(organisation_id=wanted).first() if wanted else None
    if membership is None:
        raise Missing("There is no such organisation.", code="no_organisation")
    return membership.organisation, membership.role == Membership.Role.OWNER


def owned_organisation(*, user: User, organisation_id: UUID | None = None) -> Organisation:
    """As `member_organisation`; Refused("not_owner", 403) for members who do not own it."""
    organisation, is_owner = member_organisation(user=user, organisation_id=organisation_id)
    if not is_owner:
        raise NotOwner("Only the owner of the organisation sets what its audits go by.")
    return organisation


class NotOwner(Refused):
    status = 403
    code = "not_owner"


@transaction.atomic
def set_threshold(
    *, name: str, value: Decimal, reason: str, actor: User, organisation_id: UUID | None = None
) -> ThresholdSetting:
    """Set or change one threshold of the organisation. Idempotent by name. Budgets already audited stay as they are.

    The organisation is locked: thresholds that bound each other must not be changed at once. Raises Missing, NotOwner,
    Refused("reason_missing" | "threshold_refused").
    """
    organisation = owned_organisation(user=actor, organisation_id=organisation_id)
    _known(name)
    if len(reason.strip()) < LEAST_REASON:
        raise Refused("Say why, so that the next reader understands the figure.", code="reason_missing")
    Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    others = own_thresholds(organisation_id=organisation.pk)
    if value.is_finite() and abs(value) < Decimal(10) ** 11:
        value = value.quantize(PLACES).normalize() + 0  # without the sign of a negative zero
    if problem := why_refused(name, value, others):
        raise Refused(problem, code="threshold_refused")
    setting, _ = ThresholdSetting.objects.update_or_create(
        organisation=organisation,
        name=name,
        defaults={"value": value, "reason": reason.strip(), "changed_by": actor, "changed_at": timezone.now()},
    )
    return setting


@transaction.atomic
def withdraw_threshold(*, name: str, actor: User, organisation_id: UUID | None = None) -> None:
    """Back to the table's value. Raises Missing, NotOwner, Refused if another own value forbids it."""
    organisation = owned_organisation(user=actor, organisation_id=organisation_id)
    _known(name)
    Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    others = own_thresholds(organisation_id=organisation.pk)
    if others.pop(name, None) is None:
        raise Missing(f"{name} has no value of your own.", code="no_setting")
    if problem := why_refused(name, TABLE[name].value, others):
        raise Refused(f"{problem} Withdraw the other one first.", code="threshold_refused")
    ThresholdSetting.objects.filter(organisation=organisation, name=name).delete()


def _known(name: str) -> None:
    if name not in TABLE:
        raise Missing(f'There is no threshold "{name[:60]}".', code="no_threshold")


def audit_again(*, actor: User, organisation_id: UUID | None = None) -> tuple[Job, int]:
    """Queue an audit of each budget of the organisation that is neither empty nor in the archive, as one batch.

    Returns the batch and how many. Raises Missing, NotOwner, Refused("nothing_to_audit").
    """
    from .auditing import AUDIT

    organisation = owned_organisation(user=actor, organisation_id=organisation_id)
    projects = Project.objects.filter(organisation=organisation, total_positions__gt=0, version_number__gt=0)
    rows = projects.exclude(status=Project.Status.ARCHIVED).order_by("created_at")
    names = {str(pk): name for pk, name in rows.values_list("pk", "name")}
    if not names:
        raise Refused("No project of yours has a budget to audit.", code="nothing_to_audit")
    with transaction.atomic():
        batch = enqueue_batch(
            kind=AUDIT,
            params=[{"project_id": pk} for pk in names],
            actor=actor,
            organisation=organisation,
            about=f"All budgets of {organisation.name}",
            message=f"Auditing {len(names)} budgets",
        )
        _name_children(batch, names)
        for pk in names:
            activity.show_activity(project_id=UUID(pk))
    return batch, len(names)


def _name_children(batch: Job, names: dict[str, str]) -> None:
    """A batch has one subject for all; here each child is about a project of its own, and shows on its page."""
    children = list(Job.objects.filter(batch=batch))
    for child in children:
        pk = child.params["project_id"]
        child.subject_type, child.subject_id, child.about = "project", UUID(pk), names[pk]
    Job.objects.bulk_update(children, ["subject_type", "subject_id", "about"], batch_size=500)
