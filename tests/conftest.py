"""Every worker gets a database cloned from a migrated template and an empty Redis database; see tests/services.py."""

from collections.abc import Callable, Iterator

import pytest
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from tests import emptying, services

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
