"""Foreign keys of tenders and releases are checked once a statement, instead of once a row.

PostgreSQL's own check runs a query for each row: half of what it takes to store a tender with its release. These say
the same, with the same locks: what is named must be there, and is not removed before the transaction has ended; what is
still named at the end of a transaction can't have been removed in it.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

REFERENCES = (
    ("tenders_tender", "source_id", "tenders_source"),
    ("tenders_tenderrelease", "tender_id", "tenders_tender"),
    ("tenders_tenderrelease", "imported_by_id", "tenders_import"),
)
# Arguments of all three: column, the table that it is in, the table that it names.
FUNCTIONS = """
CREATE FUNCTION tenders_reference_missing(text, text, text, text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE foreign_key_violation USING MESSAGE = format('%s of "%s" names %s, which is not in "%s"', $1, $2, $4, $3);
END $$;

-- After an INSERT. Rows made by this transaction need no lock: nobody else sees them.
CREATE FUNCTION tenders_check_arrived() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing text;
BEGIN
  EXECUTE format(
    'WITH named AS MATERIALIZED (SELECT DISTINCT %1$I AS id FROM arrived WHERE %1$I IS NOT NULL),'
    ' held AS MATERIALIZED (SELECT id FROM %2$I WHERE id IN (SELECT id FROM named)'
    '   AND xmin <> pg_current_xact_id()::xid FOR KEY SHARE)'
    ' SELECT id FROM named WHERE id NOT IN (SELECT id FROM held) AND NOT EXISTS ('
    '   SELECT FROM %2$I AS own WHERE own.id = named.id AND own.xmin = pg_current_xact_id()::xid) LIMIT 1',
    TG_ARGV[0], TG_ARGV[2]) INTO missing;
  IF missing IS NOT NULL THEN
    PERFORM tenders_reference_missing(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], missing);
  END IF;
  RETURN NULL;
END $$;

-- After an UPDATE of the column, of each row where it has become another.
CREATE FUNCTION tenders_check_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE named text := to_jsonb(NEW) ->> TG_ARGV[0]; count bigint;
BEGIN
  EXECUTE format('SELECT FROM %I WHERE id = %L FOR KEY SHARE', TG_ARGV[2], named);
  GET DIAGNOSTICS count = ROW_COUNT;
  IF named IS NOT NULL AND count = 0 THEN
    PERFORM tenders_reference_missing(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], named);
  END IF;
  RETURN NULL;
END $$;

-- At the end of a transaction that has removed a row.
CREATE FUNCTION tenders_check_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE count bigint;
BEGIN
  EXECUTE format('SELECT FROM %I WHERE %I = $1 LIMIT 1', TG_ARGV[1], TG_ARGV[0]) USING OLD.id;
  GET DIAGNOSTICS count = ROW_COUNT;
  IF count > 0 THEN
    PERFORM tenders_reference_missing(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], OLD.id::text);
  END IF;
  RETURN NULL;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER {name}_arrived AFTER INSERT ON {table} REFERENCING NEW TABLE AS arrived
  FOR EACH STATEMENT EXECUTE FUNCTION tenders_check_arrived('{column}', '{table}', '{named}');
CREATE TRIGGER {name}_changed AFTER UPDATE OF {column} ON {table} FOR EACH ROW
  WHEN (NEW.{column} IS DISTINCT FROM OLD.{column})
  EXECUTE FUNCTION tenders_check_changed('{column}', '{table}', '{named}');
CREATE CONSTRAINT TRIGGER {name}_removed AFTER DELETE ON {named} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION tenders_check_removed('{column}', '{table}', '{named}');
"""
WITHOUT_TRIGGERS = """
DROP TRIGGER {name}_arrived ON {table};
DROP TRIGGER {name}_changed ON {table};
DROP TRIGGER {name}_removed ON {named};
"""
WITHOUT_FUNCTIONS = """
DROP FUNCTION tenders_check_removed(); DROP FUNCTION tenders_check_changed(); DROP FUNCTION tenders_check_arrived();
DROP FUNCTION tenders_reference_missing(text, text, text, text);
"""


def each(template: str) -> str:
    return "".join(
        template.format(name=f"{table}_{column}", table=table, column=column, named=named)
        for table, column, named in REFERENCES
    )


class Migration(migrations.Migration):
    dependencies = [("tenders", "0003_duplicates")]

    operations = [
        migrations.AlterField(
            "tender",
            "source",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tenders",
                to="tenders.source",
            ),
        ),
        migrations.AlterField(
            "tenderrelease",
            "tender",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="releases",
                to="tenders.tender",
            ),
        ),
        migrations.AlterField(
            "tenderrelease",
            "imported_by",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tenders.import",
            ),
        ),
        migrations.RunSQL(FUNCTIONS + each(TRIGGERS), each(WITHOUT_TRIGGERS) + WITHOUT_FUNCTIONS),
    ]
