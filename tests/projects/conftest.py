"""A project with a bill that has been audited, and staff."""

from __future__ import annotations

import pytest

from accounts.models import User
from projects.models import Project
from tests.factories.people import make_user
from tests.factories.projects import make_audited_project


@pytest.fixture
def staff(db: None) -> User:
    return make_user("staff", is_staff=True)


@pytest.fixture
def project(owner: User) -> Project:
    """Audited: four positions, one of each grade."""
    return make_audited_project(owner)
