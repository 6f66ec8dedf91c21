import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_abuse_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField()),
                ("entered_at", models.DateTimeField()),
                ("entered_by", models.CharField(max_length=150)),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, help_text="Came back early, or it was entered in error.", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CaseLock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("taken_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "lock of a case",
                "verbose_name_plural": "locks of cases",
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("filters", models.JSONField(default=dict, help_text="Codes of the queue's own filters.")),
                ("shared_with", models.CharField(blank=True, max_length=150)),
                ("saved_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "saved view",
            },
        ),
        migrations.AddField(
            model_name="case",
            name="desk",
            field=models.CharField(
                choices=[("review", "reviewers"), ("leads", "lead reviewers"), ("legal", "legal desk")],
                default="review",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="due_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="When the desk's business hours for the case are over (own policy).",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="case",
            name="due_from",
            field=models.DateTimeField(blank=True, help_text="From when those hours are counted.", null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="snoozed_until",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="snoozed_why",
            field=models.CharField(
                blank=True,
                choices=[
                    ("waits_customer", "the customer was asked and has time to answer"),
                    ("waits_verifier", "an outside check is under way"),
                    ("waits_colleague", "a colleague looks into a part of it"),
                    ("waits_authority", "an authority was asked"),
                    ("waits_event", "it depends on something that happens on that day"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="waits_from",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="From when it stands in the queue; later than now while it is asleep.",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="case",
            name="due_on",
            field=models.DateField(help_text="The day of due_at in the zone of the law."),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status__in", ["open", "in_review", "proposed"])),
                fields=["due_on", "-weight", "due_at", "id"],
                name="case_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("assigned_to__isnull", True), ("status__in", ["open", "in_review", "proposed"])),
                fields=["due_on", "-weight", "due_at", "id"],
                name="case_urgency_of_free",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("snoozed_until__isnull", False)), fields=["waits_from"], name="case_asleep"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("desk__in", ["review", "leads", "legal"])), name="case_desk_known"
            ),
        ),
        migrations.AddField(
            model_name="absence",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="absences", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="caselock",
            name="case",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="lock", to="cases.case"
            ),
        ),
        migrations.AddField(
            model_name="caselock",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="saved_views", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="absence",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_on__gte", models.F("from_on"))), name="absence_ends_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("owner", "name"), name="one_view_per_owner_and_name"),
        ),
    ]
