"""Takes away what a transactional test has committed: the rows of those tables that have any, in a few milliseconds."""

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

MADE_BY_MIGRATING = {"auth_permission", "django_content_type", "django_migrations"}
MANY = 1000  # rows of a table: beyond, deleting one by one costs more than new files for all tables


def after_transactional_test(case: TransactionTestCase) -> None:
    """Stands in for `TransactionTestCase._fixture_teardown`."""
    for alias in case._databases_names(include_mirrors=False):
        empty_tables(connections[alias])


def empty_tables(connection: BaseDatabaseWrapper) -> None:
    """Foreign keys are looked at when the transaction ends, so the tables' order does not matter."""
    quoted = connection.ops.quote_name
    tables = [quoted(name) for name in connection.introspection.table_names() if name not in MADE_BY_MIGRATING]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        counts = (
            f"SELECT '{table}', (SELECT count(*) FROM (SELECT FROM {table} LIMIT {MANY}) AS few)" for table in tables
        )
        cursor.execute(" UNION ALL ".join(counts))
        used = {table: count for table, count in cursor.fetchall() if count}
        if MANY in used.values():
            cursor.execute(f"TRUNCATE {', '.join(used)} CASCADE")
        elif used:
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in used))
