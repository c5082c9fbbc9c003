from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('quiz', '0006_training'),
    ]

    operations = [
        migrations.AddField(
            model_name='assignment',
            name='overdue_told_at',
            field=models.DateTimeField(blank=True, help_text='Told that its day has passed.', null=True),
        ),
        migrations.AddField(
            model_name='assignment',
            name='reminded_at',
            field=models.DateTimeField(blank=True, help_text='Told that it is due within a day.', null=True),
        ),
    ]
