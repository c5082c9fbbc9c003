"""A template to begin with, for those who have none yet."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from ...models import Criterion, TrainingTemplate
from .criteria import CriterionDraft
from .templates import create_template

if TYPE_CHECKING:
    from accounts.models import User

NAME = "Bid clarification call"
SCENARIO = (
    "You price the steelwork of a hall extension. The bid is due in eight days, and the documents disagree: the "
    "drawings name an older edition of the welding code than the specification, one connection has no weld sizes, "
    "and nobody says who pays for the ultrasonic testing. You have a quarter of an hour with the client's "
    "engineer.\n\n"
    "Find out what you need to price it safely, without telling the client how to design it, and agree who sends "
    "what by when."
)
PERSONA = (
    "Marta Hollins, the client's structural engineer. Knowledgeable, short of time, friendly once she sees that "
    "you have read the documents. Answers what she is asked and little more. Did not know that the drawings name "
    "the old edition; would rather not decide about the testing today, and does if she is told what depends on "
    "it. Agrees to confirm in writing if asked for a day."
)
QUALITY, BEHAVIOUR = Criterion.Kind.QUALITY.value, Criterion.Kind.BEHAVIOUR.value
RUNGS = (0, 40, 70, 100)


def example_template(*, organisation_id: UUID, actor: User) -> TrainingTemplate:
    """A bid clarification call, judged by three behaviours and three qualities. A new one each time: it is meant to be
    changed. Raises TemplateMissing, CoachesOnly."""
    return create_template(
        actor=actor,
        organisation_id=organisation_id,
        name=NAME,
        scenario=SCENARIO,
        persona=PERSONA,
        criteria=_criteria(),
        note="The example",
    )


def _criteria() -> list[CriterionDraft]:
    return [
        CriterionDraft(
            key="talk-share",
            name="Lets the client talk",
            kind=BEHAVIOUR,
            weight=1,
            description="The call is for finding out: the client should have at least as much of the talk.",
            rule={"measure": "talk_share", "low": 0.3, "high": 0.55},
        ),
        CriterionDraft(
            key="open-questions",
            name="Asks open questions",
            kind=BEHAVIOUR,
            weight=2,
            description="Questions that yes or no does not answer: which, what, how, who, when.",
            rule={"measure": "open_questions", "low": 4},
        ),
        CriterionDraft(
            key="next-step",
            name="Agrees a next step",
            kind=BEHAVIOUR,
            weight=2,
            description="Who sends what by which day, and the client says yes to it.",
            rule={"measure": "next_step"},
        ),
        _finds_out(),
        _argues(),
        _handles(),
    ]


def _finds_out() -> CriterionDraft:
    return CriterionDraft(
        key="gaps-in-the-documents",
        name="Names the gaps in the documents",
        kind=QUALITY,
        weight=3,
        description="Says precisely where the documents disagree or are silent, and gets an answer to each gap.",
        levels=_levels(
            ("Missing", "Asks in general whether the documents are complete."),
            ("Vague", "Names a gap without saying where it is, or takes no answer for an answer."),
            ("Clear", "Names two or more gaps by drawing, clause or connection, and gets an answer to most."),
            (
                "Complete",
                "Names each gap by its place, gets an answer to it or who will give one, and repeats it back.",
            ),
        ),
    )


def _argues() -> CriterionDraft:
    return CriterionDraft(
        key="what-depends-on-it",
        name="Says what depends on the answer",
        kind=QUALITY,
        weight=2,
        description="The client learns why it is asked: what a choice costs, or what it does to time and safety.",
        levels=_levels(
            ("Missing", "Asks without any reason."),
            ("Hinted", "Says that it matters, not what it changes."),
            ("Told", "Says for the main question what it changes in price, time or safety."),
            (
                "Weighed",
                "Sets the choices side by side with what each would mean, and leaves the decision to the client.",
            ),
        ),
    )


def _handles() -> CriterionDraft:
    return CriterionDraft(
        key="handles-reluctance",
        name="Handles reluctance",
        kind=QUALITY,
        weight=2,
        description="Where the client evades or does not want to decide, the call moves on without pressure.",
        levels=_levels(
            ("Gives up", "Drops the point, or argues."),
            ("Repeats", "Asks the same again in the same words."),
            ("Turns", "Asks what would be needed for a decision, or proposes how to price it meanwhile."),
            ("Opens", "Takes up the reason behind the reluctance, and gets a decision or a day for it."),
        ),
    )


def _levels(*told: tuple[str, str]) -> list[dict[str, object]]:
    return [
        {"score": score, "name": name, "description": description}
        for score, (name, description) in zip(RUNGS, told, strict=True)
    ]
