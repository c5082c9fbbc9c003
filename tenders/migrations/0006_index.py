"""What the search reads moves out of the tender, into a table of its own: words, and the columns it narrows and sorts by.

Rows are moved in bulk. Triggers keep the table true to the tenders, whoever writes those: a new tender, and one that has
become another, waits in `tenders_unindexed` and is out of the index; one that goes leaves both. Whoever indexes a tender
holds its row (services.indexing), so that none of this can pass by unseen.
"""

from __future__ import annotations

from typing import Any

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

from tenders.services.wording import folded

COLUMNS = (
    "source_id, country, cpv_main, buyer_name, status, value_amount, value_currency, published_at, deadline_at, "
    "created_at"
)
TRIGGERS = f"""
CREATE FUNCTION tenders_index_arrived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tenders_unindexed (tender_id) SELECT id FROM arrived ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER tenders_index_arrived AFTER INSERT ON tenders_tender REFERENCING NEW TABLE AS arrived
  FOR EACH STATEMENT EXECUTE FUNCTION tenders_index_arrived();

-- The hash is of everything that people read; the columns are named for whoever changes them without it.
CREATE FUNCTION tenders_index_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed uuid[];
BEGIN
  SELECT array_agg(id) INTO changed FROM (
    SELECT id, content_hash, {COLUMNS} FROM now_so EXCEPT ALL SELECT id, content_hash, {COLUMNS} FROM before_so) AS x;
  IF changed IS NOT NULL THEN
    DELETE FROM tenders_tenderindex WHERE tender_id = ANY(changed);
    INSERT INTO tenders_unindexed (tender_id) SELECT unnest(changed) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tenders_index_changed AFTER UPDATE ON tenders_tender
  REFERENCING OLD TABLE AS before_so NEW TABLE AS now_so
  FOR EACH STATEMENT EXECUTE FUNCTION tenders_index_changed();

CREATE FUNCTION tenders_index_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tenders_tenderindex WHERE tender_id IN (SELECT id FROM gone);
  DELETE FROM tenders_unindexed WHERE tender_id IN (SELECT id FROM gone);
  RETURN NULL;
END $$;
CREATE TRIGGER tenders_index_removed AFTER DELETE ON tenders_tender REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION tenders_index_removed();
"""
WITHOUT_TRIGGERS = "".join(
    f"DROP TRIGGER tenders_index_{name} ON tenders_tender; DROP FUNCTION tenders_index_{name}();"
    for name in ("arrived", "changed", "removed")
)


def move(apps: Any, schema_editor: Any) -> None:
    """Words as they are; the buyer's own are made, of a name in plain letters by the server alone."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT buyer_name FROM tenders_tender WHERE octet_length(buyer_name) <> length(buyer_name)"
        )
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute("CREATE TEMP TABLE plain_names (name text PRIMARY KEY, plain text) ON COMMIT DROP")
        cursor.execute(
            "INSERT INTO plain_names SELECT * FROM unnest(%s::text[], %s::text[])", [names, [*map(folded, names)]]
        )
        cursor.execute(
            f"INSERT INTO tenders_tenderindex (tender_id, {COLUMNS}, words, buyer_words)"  # noqa: S608 - our own names
            f" SELECT id, {COLUMNS}, search, to_tsvector('simple', coalesce(plain, buyer_name))"
            " FROM tenders_tender LEFT JOIN plain_names ON name = buyer_name WHERE search IS NOT NULL ORDER BY id"
        )
        cursor.execute("INSERT INTO tenders_unindexed SELECT id FROM tenders_tender WHERE search IS NULL")


def move_back(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("UPDATE tenders_tender SET search = words FROM tenders_tenderindex WHERE tender_id = id")


def leading(*columns: str) -> list[Any]:
    """Then the newest first."""
    return [*map(models.F, columns), models.OrderBy(models.F("published_at"), descending=True, nulls_last=True)]


LAST = models.OrderBy(models.F("tender"), descending=True)
INDEXES = [
    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="index_words"),
    django.contrib.postgres.indexes.GinIndex(fields=["buyer_words"], name="index_buyer_words"),
    models.Index(*leading(), LAST, name="index_newest"),
    models.Index(models.OrderBy(models.F("deadline_at"), nulls_last=True), LAST, name="index_deadline"),
    models.Index(*leading("source"), name="index_source"),
    models.Index(*leading("country"), name="index_country"),
    models.Index(*leading("cpv_main"), name="index_cpv"),
    models.Index(fields=["value_amount"], name="index_value"),
    django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="index_created"),
]
OF_TENDERS = ("search", "newest", "deadline", "country", "cpv", "value", "unindexed")


def key_to_tender(name: str) -> models.OneToOneField[Any, Any]:
    return models.OneToOneField(
        db_constraint=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        primary_key=True,
        related_name=name,
        serialize=False,
        to="tenders.tender",
    )


class Migration(migrations.Migration):
    dependencies = [("tenders", "0005_releases_as_text")]

    operations = [
        migrations.CreateModel(
            name="TenderIndex",
            fields=[
                ("tender", key_to_tender("index")),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="tenders.source",
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2)),
                ("cpv_main", models.CharField(blank=True, max_length=8)),
                ("buyer_name", models.CharField(blank=True, max_length=300)),
                ("status", models.CharField(blank=True, max_length=40)),
                ("value_amount", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
                ("value_currency", models.CharField(blank=True, max_length=3)),
                ("published_at", models.DateTimeField(null=True)),
                ("deadline_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "words",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="Of title (A), buyer and key (B), description (C)."
                    ),
                ),
                (
                    "buyer_words",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="Of the buyer's name alone: an index of words knows no weights."
                    ),
                ),
            ],
        ),
        migrations.CreateModel(name="Unindexed", fields=[("tender", key_to_tender("unindexed"))]),
        migrations.RunPython(move, move_back),
        *(migrations.AddIndex("tenderindex", index) for index in INDEXES),
        migrations.RunSQL(TRIGGERS, WITHOUT_TRIGGERS),
        *(migrations.RemoveIndex("tender", f"tender_{name}") for name in OF_TENDERS),
        migrations.RemoveField("tender", "search"),
        # With the grade, which facets then read from the index alone.
        migrations.RemoveConstraint("score", "score_once"),
        migrations.AddConstraint(
            "score",
            models.UniqueConstraint(fields=("organisation", "tender"), include=("relevance",), name="score_once"),
        ),
    ]
