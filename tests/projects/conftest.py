"""The cast: one organisation with its people, and somebody who has nothing to do with it."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Organisation, User
from projects.models import Project
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_audited_project


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
    return make_user("stranger", organisation=make_organisation("Elsewhere"), role=Membership.Role.OWNER)


@pytest.fixture
def staff(db: None) -> User:
    return make_user("staff", is_staff=True)


@pytest.fixture
def project(owner: User) -> Project:
    """Audited: four positions, one of each grade."""
    return make_audited_project(owner)
