"""Deciding on a proposal: applied as one version, refused, or found outdated. A proposal is decided once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ...exceptions import Conflict, Missing, Refused
from ...models import BudgetVersion, ChatMessage, Position, Project
from ..access import ReadOnly, editable_project, refuse_archived, visible_project
from ..auditing import request_audit
from ..editing import revise
from ..versions import close_version, locked_project
from .events import tell_message
from .proposing import FIELD_OF, UNCONFIRMED, Plan, TooMany, planned

if TYPE_CHECKING:
    from accounts.models import User

OUTDATED = (
    "The budget has changed since this was proposed, and what was proposed does not fit it any more. Propose it anew."
)


def apply_proposal(
    *, project_id: UUID, message_id: UUID, actor: User, is_confirmed: bool = False
) -> tuple[ChatMessage, BudgetVersion]:
    """Make all of it one version, in one transaction, under the project's lock.

    Raises ProjectNotFound, ReadOnly, Missing, Refused("confirmation_missing") for more than UNCONFIRMED positions,
    Conflict: "already_decided", or "proposal_outdated", which is kept with the message.
    """
    editable_project(project_id=project_id, user=actor)
    with transaction.atomic():
        project = locked_project(project_id=project_id)
        refuse_archived(project)
        message = _proposed(project_id, message_id)
        if len(message.actions) > UNCONFIRMED and not is_confirmed:
            raise Refused(
                f"This changes {len(message.actions):,} positions. Confirm that you want that.",
                code="confirmation_missing",
                extra={"count": len(message.actions)},
            )
        version = _applied(project, message, actor)
        if version is None:
            _decide(message, ChatMessage.Proposal.OUTDATED, actor=None)
    if version is None:
        raise Conflict(OUTDATED, code="proposal_outdated")
    return message, version


@transaction.atomic
def refuse_proposal(*, project_id: UUID, message_id: UUID, actor: User) -> ChatMessage:
    """By who may change the budget, or who asked for it. Raises as `apply_proposal`."""
    project = visible_project(project_id=project_id, user=actor)
    message = _proposed(project.pk, message_id)
    is_own = message.question is not None and message.question.author_id == actor.pk
    if not is_own and not Project.objects.editable_by(actor).filter(pk=project.pk).exists():
        raise ReadOnly("Only who asked for a change, or who may change the budget, can refuse it.")
    _decide(message, ChatMessage.Proposal.REFUSED, actor=actor)
    return message


def _proposed(project_id: UUID, message_id: UUID) -> ChatMessage:
    found = ChatMessage.objects.select_for_update(of=("self",)).select_related("question")
    message: ChatMessage | None = found.filter(pk=message_id, project_id=project_id).first()
    if message is None:
        raise Missing("There is no such message.", code="message_not_found")
    if not message.proposal:
        raise Refused("This message proposes no change.", code="no_proposal")
    if message.proposal != ChatMessage.Proposal.PROPOSED:
        word = message.get_proposal_display().lower()
        raise Conflict(
            f"This proposal is {word} already.", code="already_decided", extra={"proposal": message.proposal}
        )
    return message


def _applied(project: Project, message: ChatMessage, actor: User) -> BudgetVersion | None:
    """None: it is outdated."""
    plan = _same_plan(project, message)
    if plan is None:
        return None
    number = project.version_number + 1
    actions = {action["row"]: action for action in plan.actions}
    rows = list(Position.objects.filter(pk__in=actions).select_related("document").order_by("ordinal", "id"))
    Position.objects.filter(pk__in=actions).update(removed_in=number)
    changed = [row for row in rows if actions[row.pk]["action"] == "modify"]
    for row in changed:
        revise(row, _changes(row, actions[row.pk], plan), project)
    Position.objects.bulk_create(changed, batch_size=1000)
    asked = message.question.message if message.question else ""
    version = close_version(
        project=project,
        trigger=BudgetVersion.Trigger.CHAT_MODIFICATION,
        actor_id=actor.pk,
        details={"message": str(message.pk), "reason": asked[:1000]},
    )
    request_audit(project=project, actor=actor)
    message.applied_version = version.number
    message.actions = [action | {"result": {"version": version.number}} for action in message.actions]
    _decide(message, ChatMessage.Proposal.APPLIED, actor=actor)
    return version


def _same_plan(project: Project, message: ChatMessage) -> Plan | None:
    """The plan made again; None where it says anything else than what was shown."""
    try:
        plan = planned(project, message.context.get("operations", []))
    except (TooMany, Refused):
        return None
    return plan if plan.actions == message.actions else None


def _changes(row: Position, action: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Only fields that the operations name: a new quantity lets go of the measure sheet that proved the old one."""
    named = {FIELD_OF[each["operation"]] for each in plan.operations if each["operation"] in FIELD_OF}
    differing = [name for name in named if action["after"][name] != action["before"][name]]
    return {name: Decimal(action["after"][name]) for name in differing}


def _decide(message: ChatMessage, proposal: str, *, actor: User | None) -> None:
    message.proposal = proposal
    message.decided_by, message.decided_at = actor, timezone.now() if actor else None
    message.save(update_fields=["proposal", "decided_by", "decided_at", "applied_version", "actions"])
    tell_message(message)
