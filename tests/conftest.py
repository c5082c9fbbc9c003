"""Every worker gets a database cloned from a migrated template and an empty Redis database (see tests/services.py); and
the cast of most tests: a firm with an owner, a member and a viewer, and a stranger."""

from collections.abc import Callable, Iterator

import pytest
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from accounts.models import Membership, Organisation, User
from tests import emptying, services
from tests.factories.people import make_organisation, make_user

# Django's own runs `flush` after each transactional test: all tables, then all permissions anew, 0.15 to 0.3 s.
TransactionTestCase._fixture_teardown = emptying.after_transactional_test


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """DATABASE_URL names the worker's database already; here it comes to be. It stays for a look after a failure."""
    from django.db import connections

    services.clone_database()
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(scope="session", autouse=True)
def _own_redis() -> Iterator[None]:
    services.empty_redis()
    yield
    services.leave_redis()


@pytest.fixture
def drain() -> Iterator[Callable[[], int]]:
    """Runs what there is in all queues, in this process; how many jobs that were."""
    from jobs import worker
    from jobs.models import Job

    draining = worker.Drain()
    yield lambda: draining.all_of(Job.Queue.values)
    draining.heart.stop()


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
def coach(organisation: Organisation) -> User:
    return make_user("coach", organisation=organisation, role=Membership.Role.COACH)


@pytest.fixture
def stranger(db: None) -> User:
    """Of another firm."""
    return make_user("stranger", organisation=make_organisation("Elsewhere"), role=Membership.Role.OWNER)
