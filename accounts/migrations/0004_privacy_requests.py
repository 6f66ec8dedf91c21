import functools
import uuid

from django.db import migrations, models

import kyc_portal.records.refs
import kyc_portal.records.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_fingerprint_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "reference",
                    models.CharField(
                        default=functools.partial(kyc_portal.records.refs.new_reference, *("PRV",), **{}),
                        editable=False,
                        max_length=20,
                        unique=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("access", "a copy of their data"),
                            ("erasure", "erasure of their data"),
                            ("objection", "an end to the use of their data"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "received"),
                            ("prepared", "answer awaits a second person"),
                            ("erasing", "erasure under way"),
                            ("answered", "answered"),
                        ],
                        default="received",
                        max_length=10,
                    ),
                ),
                ("name", kyc_portal.records.sealed.SealedTextField(blank=True, null=True, under="pk")),
                ("contact", kyc_portal.records.sealed.SealedTextField(blank=True, null=True, under="pk")),
                ("subject", models.UUIDField(blank=True, db_index=True, null=True)),
                ("subject_name", models.CharField(blank=True, max_length=20, verbose_name="party")),
                (
                    "identified_how",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("logged_in", "asked while logged in to their account"),
                            ("contact", "answered from a contact point on file"),
                            ("in_person", "showed a document that is on file"),
                        ],
                        max_length=10,
                    ),
                ),
                ("identified_by", models.CharField(blank=True, max_length=150)),
                ("received_on", models.DateField()),
                ("due_on", models.DateField(verbose_name="answer by")),
                ("logged_at", models.DateTimeField()),
                ("logged_by", models.CharField(max_length=150)),
                (
                    "findings",
                    models.JSONField(
                        default=list, help_text="Per rule: how many rows, since when, why and until when kept."
                    ),
                ),
                ("prepared_at", models.DateTimeField(blank=True, null=True)),
                ("prepared_by", models.CharField(blank=True, max_length=150)),
                ("prepared_by_key", models.CharField(blank=True, max_length=80)),
                ("agreed_by_key", models.CharField(blank=True, max_length=80)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("answered_by", models.CharField(blank=True, max_length=150)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("nothing_found", "nothing is stored about them"),
                            ("copy_ready", "a copy is ready"),
                            ("erased", "everything was erased"),
                            ("partly_erased", "erased in part"),
                            ("kept", "everything must be kept"),
                            ("explained", "explained why their data is used"),
                        ],
                        max_length=14,
                    ),
                ),
                (
                    "erased",
                    models.JSONField(
                        default=dict, help_text="Kinds of single data that were erased, with their number."
                    ),
                ),
            ],
            options={
                "verbose_name": "privacy request",
                "permissions": [
                    ("handle_privacy", "Can log and prepare privacy requests and hand over copies"),
                    ("answer_privacy", "Can approve the answer another prepared"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["received", "prepared", "erasing", "answered"])),
                        name="privacy_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "answered"), _negated=True),
                            ("answered_at__isnull", False),
                            _connector="OR",
                        ),
                        name="answered_privacy_request_says_when",
                    ),
                ],
            },
        ),
    ]
