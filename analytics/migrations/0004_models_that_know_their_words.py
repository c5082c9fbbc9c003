"""Models fitted before they knew their own words can't be read any more: the next reindexing fits one anew."""

from django.db import migrations


def forget_models(apps, schema_editor):
    apps.get_model("analytics", "EmbeddingModel").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_vocabulary"),
    ]

    operations = [
        migrations.RunPython(forget_models, migrations.RunPython.noop),
    ]
