"""What PostgreSQL refuses comes as Django's errors, from below its own cursors too: who retries knows them by these."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DataError, OperationalError, connection, transaction

from analytics.services.raw import raw_cursor
from jobs.failures import is_transient
from projects.parsers.price_list import PricedItem
from projects.services import audit_results, catalogues
from quiz.services import storing as quiz_storing
from tenders.services import storing as tenders_storing


@pytest.mark.django_db
def test_a_statement_that_goes_past_django() -> None:
    with pytest.raises(DataError), transaction.atomic(), raw_cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


@pytest.mark.django_db(transaction=True)
def test_a_server_that_goes_away_is_known_as_such() -> None:
    with pytest.raises(OperationalError) as raised, raw_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        cursor.execute("SELECT 1")
    connection.close()
    assert is_transient(raised.value)


@pytest.mark.django_db
@pytest.mark.parametrize("module", [audit_results, quiz_storing, tenders_storing])
def test_rows_that_are_copied(module: object) -> None:
    rows: object = ["x\n"]
    if module is audit_results:
        rows = iter([("x",)])
    elif module is tenders_storing:
        rows = [b"x\n"]
    columns = "number" if module is audit_results else ["number"]
    with pytest.raises(DataError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE numbers (number integer) ON COMMIT DROP")
        module._copy(cursor, "numbers", columns, rows)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_prices_that_are_copied() -> None:
    item = PricedItem("A2", "c" * 10, "t", "m3", Decimal(1), "CZK", None)
    with pytest.raises(DataError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE catalogue_staging (n integer, place text, code varchar(3), text text, "
                "unit text, unit_price numeric, currency text, priced_on date) ON COMMIT DROP"
            )
        catalogues._stage([item], None)
