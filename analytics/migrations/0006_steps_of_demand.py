"""Indexes on steps of ranks and growths instead of themselves, which change with every signal; room for new versions
of a row beside the old one, so that no index is touched (HOT)."""

import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("analytics", "0005_loop_of_demand"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_top",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_top_type",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_stale",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_waiting",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_trend_1d",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_trend_7d",
        ),
        migrations.RemoveIndex(
            model_name="entitydemand",
            name="demand_trend_30d",
        ),
        migrations.AddField(
            model_name="entitydemand",
            name="rank_step",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Cast(
                    django.db.models.functions.math.Floor(
                        django.db.models.expressions.CombinedExpression(models.F("rank"), "*", models.Value(1))
                    ),
                    models.IntegerField(),
                ),
                output_field=models.IntegerField(),
            ),
        ),
        migrations.AddField(
            model_name="entitydemand",
            name="trend_1d",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        models.Q(("current_1d__gte", 5), ("growth_1d__gte", 2.0)),
                        then=django.db.models.functions.comparison.Cast(
                            django.db.models.functions.math.Floor(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.functions.math.Ln(models.F("growth_1d")), "*", models.Value(2)
                                )
                            ),
                            models.IntegerField(),
                        ),
                    ),
                    default=None,
                    output_field=models.IntegerField(),
                ),
                output_field=models.IntegerField(null=True),
            ),
        ),
        migrations.AddField(
            model_name="entitydemand",
            name="trend_30d",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        models.Q(("current_30d__gte", 5), ("growth_30d__gte", 2.0)),
                        then=django.db.models.functions.comparison.Cast(
                            django.db.models.functions.math.Floor(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.functions.math.Ln(models.F("growth_30d")), "*", models.Value(2)
                                )
                            ),
                            models.IntegerField(),
                        ),
                    ),
                    default=None,
                    output_field=models.IntegerField(),
                ),
                output_field=models.IntegerField(null=True),
            ),
        ),
        migrations.AddField(
            model_name="entitydemand",
            name="trend_7d",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        models.Q(("current_7d__gte", 5), ("growth_7d__gte", 2.0)),
                        then=django.db.models.functions.comparison.Cast(
                            django.db.models.functions.math.Floor(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.functions.math.Ln(models.F("growth_7d")), "*", models.Value(2)
                                )
                            ),
                            models.IntegerField(),
                        ),
                    ),
                    default=None,
                    output_field=models.IntegerField(),
                ),
                output_field=models.IntegerField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"), models.OrderBy(models.F("rank_step"), descending=True), name="demand_top"
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"),
                models.F("entity_type"),
                models.OrderBy(models.F("rank_step"), descending=True),
                name="demand_top_type",
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"),
                models.OrderBy(models.F("rank_step"), descending=True),
                condition=models.Q(("needs_update", True)),
                name="demand_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"),
                models.OrderBy(models.F("trend_1d"), descending=True),
                condition=models.Q(("trend_1d__isnull", False)),
                name="demand_trend_1d",
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"),
                models.OrderBy(models.F("trend_7d"), descending=True),
                condition=models.Q(("trend_7d__isnull", False)),
                name="demand_trend_7d",
            ),
        ),
        migrations.AddIndex(
            model_name="entitydemand",
            index=models.Index(
                models.F("organisation"),
                models.OrderBy(models.F("trend_30d"), descending=True),
                condition=models.Q(("trend_30d__isnull", False)),
                name="demand_trend_30d",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE analytics_entitydemand SET (fillfactor = 70)",
            "ALTER TABLE analytics_entitydemand RESET (fillfactor)",
        ),
    ]
