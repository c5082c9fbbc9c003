"""Who belongs to an organisation, who may say so, and what follows when somebody is taken out."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts import services
from accounts.exceptions import Missing, Refused
from accounts.models import Membership, Organisation, User
from accounts.querysets import organisation_ids_of
from accounts.services import withdrawal
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[list[services.Withdrawal]]:
    told: list[services.Withdrawal] = []
    services.on_withdrawn(told.append)
    yield told
    withdrawal._callbacks.remove(told.append)


def test_an_owner_brings_somebody_in(organisation: Organisation, owner: User, stranger: User) -> None:
    services.add_member(organisation_id=organisation.pk, user_id=stranger.pk, role="viewer", actor=owner)
    assert organisation in Organisation.objects.visible_to(stranger)
    again = services.add_member(organisation_id=organisation.pk, user_id=stranger.pk, role="coach", actor=owner)
    assert again.role == "coach"
    assert Membership.objects.filter(organisation=organisation, user=stranger).count() == 1


@pytest.mark.parametrize("who", ["member", "stranger"])
def test_others_do_not(organisation: Organisation, owner: User, who: str, request: pytest.FixtureRequest) -> None:
    actor: User = request.getfixturevalue(who)
    for attempt in (
        lambda: services.add_member(organisation_id=organisation.pk, user_id=actor.pk, role="owner", actor=actor),
        lambda: services.change_role(organisation_id=organisation.pk, user_id=owner.pk, role="viewer", actor=actor),
        lambda: services.remove_member(organisation_id=organisation.pk, user_id=owner.pk, actor=actor),
        lambda: services.rename_organisation(organisation_id=organisation.pk, name="Ours", actor=actor),
    ):
        with pytest.raises(Missing):
            attempt()
    assert Membership.objects.get(organisation=organisation, user=owner).role == "owner"


@pytest.mark.django_db(transaction=True)
def test_whoever_is_taken_out_sees_no_more_and_listeners_hear_of_it(
    organisation: Organisation, owner: User, member: User, heard: list[services.Withdrawal]
) -> None:
    services.remove_member(organisation_id=organisation.pk, user_id=member.pk, actor=owner)
    assert organisation not in Organisation.objects.visible_to(member)
    assert heard == [services.Withdrawal(user_id=member.pk, organisation_id=organisation.pk)]


def test_a_member_may_leave_but_not_the_last_owner(organisation: Organisation, owner: User, member: User) -> None:
    services.remove_member(organisation_id=organisation.pk, user_id=member.pk, actor=member)
    with pytest.raises(Refused, match="needs an owner"):
        services.remove_member(organisation_id=organisation.pk, user_id=owner.pk, actor=owner)
    with pytest.raises(Refused, match="needs an owner"):
        services.change_role(organisation_id=organisation.pk, user_id=owner.pk, role="member", actor=owner)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_go(organisation: Organisation, owner: User) -> None:
    second = make_user("second", organisation=organisation, role=Membership.Role.OWNER)
    together = Barrier(2)
    refused: list[str] = []

    def leave(user: User) -> None:
        together.wait()
        try:
            services.remove_member(organisation_id=organisation.pk, user_id=user.pk, actor=user)
        except Refused as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=leave, args=(user,)) for user in (owner, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["last_owner"]
    assert Membership.objects.filter(organisation=organisation, role="owner").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_at_once_make_one_organisation(db: None) -> None:
    user = make_user("lonely")
    together = Barrier(2)

    def ensure() -> None:
        together.wait()
        try:
            services.ensure_organisation(user=user)
        finally:
            connection.close()

    threads = [Thread(target=ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.filter(user=user).count() == 1


def test_nonsense_is_refused(organisation: Organisation, owner: User, member: User) -> None:
    with pytest.raises(Refused, match="must be one of"):
        services.add_member(organisation_id=organisation.pk, user_id=member.pk, role="king", actor=owner)
    with pytest.raises(Missing):
        services.add_member(organisation_id=organisation.pk, user_id=uuid4(), role="member", actor=owner)
    with pytest.raises(Refused, match="name"):
        services.create_organisation(name="  ", owner=owner)


def test_people_see_themselves_and_those_they_share_an_organisation_with(
    owner: User, member: User, stranger: User
) -> None:
    assert set(User.objects.visible_to(owner)) == {owner, member}
    assert set(User.objects.visible_to(stranger)) == {stranger}
    assert not User.objects.visible_to(AnonymousUser()).exists()
    assert not Organisation.objects.visible_to(AnonymousUser()).exists()


def test_who_only_looks_on_may_write_nowhere(organisation: Organisation) -> None:
    viewer = make_user("viewer", organisation=organisation, role=Membership.Role.VIEWER)
    assert list(organisation_ids_of(viewer)) == [{"organisation_id": organisation.pk}]
    assert not organisation_ids_of(viewer, may_write=True).exists()
