import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('quiz', '0002_attempt_clause'),
    ]

    operations = [
        migrations.AddField(
            model_name='question',
            name='title',
            field=models.CharField(blank=True, db_default='', default='', help_text='For those who keep it; learners never see it.', max_length=200),
        ),
        migrations.AddField(
            model_name='question',
            name='keeper_hash',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='Of what its file said when it was edited here; empty where it is as its keeper has it.', max_length=64),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='remarks',
            field=models.JSONField(blank=True, default=list, help_text='What was left out of questions that were taken, in words.'),
        ),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(help_text='SHA-256 of the content, in hex digits.', max_length=64)),
                ('media_type', models.CharField(choices=[('image/png', 'image/png'), ('image/jpeg', 'image/jpeg'), ('image/gif', 'image/gif'), ('image/webp', 'image/webp')], max_length=10)),
                ('name', models.CharField(help_text='Of the file that it came in, without its folders.', max_length=200)),
                ('source_id', models.CharField(blank=True, help_text='Of the attachment in Airtable: att…', max_length=40)),
                ('size', models.PositiveIntegerField(help_text='In bytes.')),
                ('width', models.PositiveIntegerField(help_text='In pixels.')),
                ('height', models.PositiveIntegerField(help_text='In pixels.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('bank', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='quiz.bank')),
            ],
            options={
                'ordering': ['bank', 'name'],
                'constraints': [models.UniqueConstraint(fields=('digest', 'bank'), name='picture_once_a_bank')],
            },
        ),
    ]
