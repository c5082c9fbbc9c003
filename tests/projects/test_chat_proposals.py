"""Changes through the chat: proposed with before and after, never applied by themselves, applied once, as a version."""

# ruff: noqa: F811 - a fixture of another module

from __future__ import annotations

from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connection

from accounts.exceptions import PlumblineError
from accounts.models import User
from jobs.models import Job
from projects.models import BudgetVersion, ChatMessage, Position, Project
from projects.services.chat import proposing
from projects.services.chat.asking import ask_again
from projects.services.chat.deciding import apply_proposal, refuse_proposal
from projects.services.editing import edit_position
from tests.factories.projects import make_positions
from tests.projects.chat_cast import Asks, answer_of, asked  # noqa: F401 - a fixture
from tests.projects.pages import rows_of

pytestmark = pytest.mark.django_db(transaction=True)


def apply(project: Project, answer: ChatMessage, actor: User, **options: bool) -> BudgetVersion:
    return apply_proposal(project_id=project.pk, message_id=answer.pk, actor=actor, **options)[1]


def refused(code: str, project: Project, answer: ChatMessage, actor: User) -> None:
    with pytest.raises(PlumblineError) as caught:
        apply(project, answer, actor)
    assert caught.value.code == code


def test_a_new_price_is_proposed_with_before_after_and_delta(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    assert (answer.source, answer.proposal, answer.based_on_version) == ("proposal", "proposed", 1)
    (action,) = answer.actions
    assert action["before"] == {"quantity": "2.0000", "unit_price": "20.0000", "total": "40.00"}
    assert action["after"]["total"] == "700.00"
    assert (answer.context["delta"], answer.context["total_after"]) == ("660.00", "860.00")
    project.refresh_from_db()
    assert project.version_number == 1 and project.total_cost == 200


def test_applied_it_is_one_version_with_the_question_as_its_reason(
    project: Project, owner: User, member: User, asked: Asks
) -> None:
    answer = asked(project, owner, "zvyš oddíl 1 o 5 %")
    version = apply(project, answer, member)
    assert (version.number, version.trigger, version.created_by) == (2, "chat_modification", member)
    assert version.trigger_details["reason"] == "zvyš oddíl 1 o 5 %"
    assert version.summary == {"added": 0, "removed": 0, "modified": 4}
    assert version.delta_cost == version.delta_price == Decimal(10)
    assert [row.unit_price for row in rows_of(project)] == [Decimal("10.5"), Decimal(21), Decimal("31.5"), Decimal(42)]
    project.refresh_from_db()
    assert project.total_cost == Decimal(210)
    answer = answer_of(answer.pk)
    assert (answer.proposal, answer.applied_version, answer.decided_by) == ("applied", 2, member)
    assert answer.actions[0]["result"] == {"version": 2}
    assert Job.objects.filter(kind="projects.audit").exists()


def test_lineage_survives_and_the_delta_told_is_the_delta_made(project: Project, owner: User, asked: Asks) -> None:
    before = {row.lineage for row in rows_of(project)}
    answer = asked(project, owner, "set the quantity of 1 to 3.3333; lower the price of 2 by 12.5 %; delete position 4")
    version = apply(project, answer, owner)
    assert version.delta_cost == Decimal(answer.context["delta"])
    assert {row.lineage for row in rows_of(project)} < before and len(rows_of(project)) == 3
    assert [row.total for row in rows_of(project)] == [Decimal("33.33"), Decimal(35), Decimal(60)]


def test_a_proposal_is_applied_once(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    apply(project, answer, owner)
    refused("already_decided", project, answer, owner)
    assert BudgetVersion.objects.filter(project=project).count() == 2


def test_two_who_apply_at_once_make_one_version(project: Project, owner: User, member: User, asked: Asks) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    barrier, codes = Barrier(2), []

    def applying(user: User) -> None:
        barrier.wait()
        try:
            codes.append(str(apply(project, answer, user).number))
        except PlumblineError as error:
            codes.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=applying, args=(user,)) for user in (owner, member)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["2", "already_decided"]


def test_it_is_outdated_once_a_touched_position_has_changed(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    row = rows_of(project)[1]
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"quantity": Decimal(9)}
    )
    refused("proposal_outdated", project, answer, owner)
    assert answer_of(answer.pk).proposal == "outdated"
    assert rows_of(project)[1].unit_price == 20
    again = ask_again(project_id=project.pk, message_id=answer.pk, actor=owner)
    assert again.question.message == "set the price of 2 to 350" and again.answer.status == "waiting"


def test_other_positions_may_change_meanwhile(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "set the price of 2 to 350")
    row = rows_of(project)[0]
    edit_position(
        project_id=project.pk, lineage=row.lineage, actor=owner, seen=row.pk, changes={"quantity": Decimal(9)}
    )
    assert apply(project, answer, owner).number == 3


def test_a_section_that_has_grown_meanwhile_is_not_changed_in_part(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "raise section 1 by 5 %")
    make_positions(project, 1)
    refused("proposal_outdated", project, answer, owner)


def test_refused_nothing_changes_and_it_stays_refused(project: Project, owner: User, asked: Asks) -> None:
    answer = asked(project, owner, "delete position 2")
    refuse_proposal(project_id=project.pk, message_id=answer.pk, actor=owner)
    refused("already_decided", project, answer, owner)
    assert len(rows_of(project)) == 4


def test_a_viewer_may_ask_and_take_the_own_back_but_not_apply(
    project: Project, owner: User, viewer: User, asked: Asks
) -> None:
    answer = asked(project, viewer, "delete position 2")
    refused("read_only", project, answer, viewer)
    assert refuse_proposal(project_id=project.pk, message_id=answer.pk, actor=viewer).proposal == "refused"
    of_owner = asked(project, owner, "delete position 2")
    with pytest.raises(PlumblineError) as caught:
        refuse_proposal(project_id=project.pk, message_id=of_owner.pk, actor=viewer)
    assert caught.value.code == "read_only"


def test_a_stranger_finds_no_proposal(project: Project, owner: User, stranger: User, asked: Asks) -> None:
    refused("project_not_found", project, asked(project, owner, "delete position 2"), stranger)


def test_a_number_that_two_positions_have_is_asked_back_with_references(
    project: Project, owner: User, asked: Asks
) -> None:
    make_positions(project, 1, number="2", object_code="SO 2", description="Another one")
    answer = asked(project, owner, "set the price of 2 to 350")
    assert answer.source == "clarify" and not answer.proposal
    texts = [each["text"] for each in answer.context["candidates"]]
    assert len(texts) == 2 and "SO 2" in answer.context["candidates"][1]["label"]
    chosen = asked(project, owner, texts[1])
    assert [action["description"] for action in chosen.actions] == ["Another one"]


def test_a_section_in_two_objects_is_asked_back(project: Project, owner: User, asked: Asks) -> None:
    make_positions(project, 1, object_code="SO 2", object_name="Garage")
    answer = asked(project, owner, "Raise section Zemní práce by 5 %")
    assert answer.source == "clarify" and len(answer.context["candidates"]) == 2
    chosen = asked(project, owner, answer.context["candidates"][1]["text"])
    assert [action["number"] for action in chosen.actions] == ["5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set the price of 99 to 350", "No position has the number, code or words “99”."),
        ("raise section Roofs by 5 %", "No section is named “Roofs”."),
        ("raise the price of 3 a lot", "I did not understand “raise the price of 3 a lot”."),
        ("set the price of 2 to 20", "The budget already is like that"),
        ("set the price of 2 to 99999999999999999", "larger than any budget holds"),
    ],
)
def test_what_can_not_be_proposed_is_said(project: Project, owner: User, asked: Asks, text: str, expected: str) -> None:
    answer = asked(project, owner, text)
    assert expected in answer.message and not answer.proposal and answer.actions == []


def test_positions_without_a_figure_are_left_and_told(project: Project, owner: User, asked: Asks) -> None:
    Position.objects.filter(pk=rows_of(project)[0].pk).update(unit_price=None, total=Decimal(0))
    answer = asked(project, owner, "raise all prices by 10 %")
    assert len(answer.actions) == 3 and "stay as they are: 1." in answer.context["remark"]


def test_alternatives_change_and_count_for_nothing(project: Project, owner: User, asked: Asks) -> None:
    Position.objects.filter(pk=rows_of(project)[1].pk).update(billing="alternative")
    answer = asked(project, owner, "set the price of 2 to 350")
    assert answer.context["delta"] == "0" and apply(project, answer, owner).delta_cost == 0


def test_many_positions_are_applied_in_bulk_and_only_when_confirmed(project: Project, owner: User, asked: Asks) -> None:
    make_positions(project, 600)
    answer = asked(project, owner, "zdraž vše o 3 %")
    assert len(answer.actions) == 604 and len(answer.context["shown"]) == 50 and answer.context["needs_confirming"]
    refused("confirmation_missing", project, answer, owner)
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        version = apply(project, answer, owner, is_confirmed=True)
    assert version.summary["modified"] == 604 and len(captured) < 60


def test_a_proposal_of_more_than_it_takes_is_not_made(
    project: Project, owner: User, asked: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "MOST", 3)
    answer = asked(project, owner, "raise all prices by 10 %")
    assert "would change 4 positions" in answer.message and not answer.proposal


def test_prices_are_rounded_as_their_file_rounds(project: Project, owner: User, asked: Asks) -> None:
    Position.objects.filter(pk=rows_of(project)[0].pk).update(unit_price=Decimal("10.55"), total=Decimal("21.10"))
    answer = asked(project, owner, "raise position 1 by 3 %")
    assert answer.actions[0]["after"]["unit_price"] == "10.87"
