"""Releases as received become text: the server need not take each apart. Rewrites the table once."""

from __future__ import annotations

from django.db import migrations

import tenders.models.received


class Migration(migrations.Migration):
    dependencies = [("tenders", "0004_references_in_bulk")]

    operations = [
        migrations.RunSQL(  # Django names no way back from text, and there is none without USING
            "ALTER TABLE tenders_tenderrelease ALTER COLUMN raw TYPE text",
            "ALTER TABLE tenders_tenderrelease ALTER COLUMN raw TYPE jsonb USING raw::jsonb",
            state_operations=[migrations.AlterField("tenderrelease", "raw", tenders.models.received.ReceivedJSON())],
        )
    ]
