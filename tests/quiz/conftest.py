"""The cast: a firm with an owner, a member and a viewer, and a stranger of another firm."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organisation, User
from tests.factories.people import make_organisation, make_user


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make_user("owner", organisation=organisation, role=Membership.Role.OWNER)


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


@pytest.fixture
def viewer(organisation: Organisation) -> User:
    return make_user("viewer", organisation=organisation, role=Membership.Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("stranger", organisation=make_organisation("Elsewhere"))
