"""The tables of what is seen from where and of who was seen before; what records were judged by becomes editions."""

import functools
import hashlib
import json
import uuid
from collections import defaultdict

import django.db.models.deletion
from django.db import migrations, models

import kyc_portal.records.refs
from kyc_portal.records.acting import acting

BATCH = 5_000
TOLD = ("pk", "judged_by", "address", "country", "anonymiser", "special_use", "batch__imported_at")


def sorted_out(rows):
    """Of rows of TOLD: by each set of lists, in order, the keys of its records; and by set and address what was said.

    Records without an address were judged by nothing. The earliest import speaks for a set and an address: what was said then is what the lists said.
    """
    keys, said = defaultdict(list), {}
    for pk, judged_by, address, *verdict, at in rows:
        if address:
            lists = tuple(sorted(judged_by))
            keys[lists].append(pk)
            said.setdefault((lists, address), (*verdict, at))
    return keys, said


def digest_of(lists):
    """As accounts/flows/editions.py names an edition; written out, because a migration must not change later."""
    return hashlib.sha256(json.dumps(list(lists)).encode()).hexdigest()


def as_operator(change):
    """The database refuses a change of records by nobody."""

    @functools.wraps(change)
    def run(apps, schema_editor):
        with acting(kyc_portal.records.refs.Actor.operator()):
            change(apps, schema_editor)

    return run


@as_operator
def lists_to_editions(apps, schema_editor):
    """What each record was judged by becomes an edition, and what was said of its address a verdict of it.

    Which list said what was not kept before, so these verdicts have no findings and no confidence.
    """
    records = apps.get_model("accounts", "AccessRecord").objects.order_by("pk")
    edition_model = apps.get_model("accounts", "RangeEdition")
    verdict_model = apps.get_model("accounts", "AddressVerdict")
    last = 0
    while rows := list(records.filter(pk__gt=last).values_list(*TOLD)[:BATCH]):
        last = rows[-1][0]
        keys, said = sorted_out(rows)
        editions = {}
        for lists, of_lists in keys.items():
            editions[lists], _ = edition_model.objects.get_or_create(
                sha256=digest_of(lists), defaults={"lists": list(lists), "made_at": rows[0][-1]}
            )
            records.filter(pk__in=of_lists).update(edition=editions[lists])
        verdict_model.objects.bulk_create(
            [
                verdict_model(
                    address=address, edition=editions[lists], country=country, anonymiser=anonymiser,
                    special_use=special_use, judged_at=at,
                )
                for (lists, address), (country, anonymiser, special_use, at) in said.items()
            ],
            batch_size=500,
            ignore_conflicts=True,
        )  # fmt: skip


@as_operator
def editions_to_lists(apps, schema_editor):
    """Back: each record says again by which lists it was judged."""
    records = apps.get_model("accounts", "AccessRecord").objects
    for edition in apps.get_model("accounts", "RangeEdition").objects.all():
        records.filter(edition=edition).update(judged_by=edition.lists)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_objections_answered_elsewhere"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                (
                    "kind",
                    models.CharField(choices=[("access", "access"), ("admin", "administrative act")], max_length=6),
                ),
                ("public", models.BooleanField()),
                ("country", models.CharField(blank=True, max_length=2)),
                ("network", models.CharField(blank=True, max_length=120)),
                ("anonymiser", models.CharField(blank=True, max_length=60)),
                ("count", models.PositiveIntegerField()),
                ("hours", models.PositiveIntegerField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "access day",
            },
        ),
        migrations.CreateModel(
            name="AddressVerdict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.GenericIPAddressField()),
                ("judged_at", models.DateTimeField()),
                ("country", models.CharField(blank=True, max_length=2)),
                ("network", models.CharField(blank=True, max_length=120)),
                ("anonymiser", models.CharField(blank=True, max_length=60)),
                ("special_use", models.CharField(blank=True, max_length=30)),
                ("confidence", models.CharField(blank=True, max_length=10)),
                ("findings", models.JSONField(default=list)),
            ],
            options={
                "verbose_name": "verdict on an address",
                "verbose_name_plural": "verdicts on addresses",
            },
        ),
        migrations.CreateModel(
            name="CloudAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_system", models.CharField(max_length=80)),
                ("key", models.CharField(max_length=200)),
                ("named_at", models.DateTimeField()),
                ("named_by", models.CharField(max_length=150)),
            ],
            options={
                "verbose_name": "account of a source system",
                "verbose_name_plural": "accounts of source systems",
            },
        ),
        migrations.CreateModel(
            name="RangeEdition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lists", models.JSONField(default=list, help_text="References of the lists, in order.")),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "edition of the range lists",
                "verbose_name_plural": "editions of the range lists",
            },
        ),
        migrations.CreateModel(
            name="SeenBefore",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "reference",
                    models.CharField(
                        default=functools.partial(kyc_portal.records.refs.new_reference, *("SEN",), **{}),
                        editable=False,
                        max_length=20,
                        unique=True,
                    ),
                ),
                ("why", models.CharField(help_text="What became of the earlier customer: a code.", max_length=60)),
                ("score", models.DecimalField(decimal_places=4, max_digits=5)),
                ("shared", models.JSONField(default=list)),
                ("sentence", models.CharField(max_length=500)),
                ("found_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "tie to an earlier customer",
                "verbose_name_plural": "ties to earlier customers",
            },
        ),
        migrations.CreateModel(
            name="WaitingLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField()),
                ("account_key", models.CharField(max_length=200)),
                ("waiting_since", models.DateTimeField()),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(choices=[("access", "access"), ("admin", "administrative act")], max_length=6),
                ),
                ("action", models.CharField(max_length=200)),
                ("principal", models.CharField(blank=True, max_length=300)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("raw_source", models.CharField(blank=True, max_length=300)),
                ("port", models.PositiveIntegerField(blank=True, null=True)),
                ("user_agent_sha256", models.CharField(blank=True, max_length=64)),
                ("source_system", models.CharField(max_length=80)),
                ("event_id", models.CharField(max_length=200)),
            ],
            options={
                "verbose_name": "waiting access",
                "verbose_name_plural": "waiting accesses",
            },
        ),
        migrations.AddField(
            model_name="accessbatch",
            name="waiting_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="accessrecord",
            name="port",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="refusedline",
            name="content",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="accessbatch",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="access_batches",
                to="accounts.account",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessbatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("account__isnull", True)), fields=("sha256",), name="one_batch_per_file_of_many"
            ),
        ),
        migrations.AddField(
            model_name="accessday",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="access_days", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="cloudaccount",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="cloud_accounts", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="addressverdict",
            name="edition",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.rangeedition",
            ),
        ),
        migrations.AddField(
            model_name="accessrecord",
            name="edition",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The range lists asked; with the address it names the verdict.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.rangeedition",
            ),
        ),
        migrations.AddConstraint(
            model_name="addressverdict",
            constraint=models.UniqueConstraint(fields=("address", "edition"), name="one_verdict_per_edition"),
        ),
        migrations.RunPython(lists_to_editions, editions_to_lists),
        migrations.RemoveField(
            model_name="accessrecord",
            name="judged_by",
        ),
        migrations.AddField(
            model_name="seenbefore",
            name="earlier",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="seen_again",
                to="accounts.party",
            ),
        ),
        migrations.AddField(
            model_name="seenbefore",
            name="party",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="seen_before", to="accounts.party"
            ),
        ),
        migrations.AddField(
            model_name="seenbefore",
            name="remembered",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="seen_again",
                to="accounts.restrictedcustomer",
            ),
        ),
        migrations.AddField(
            model_name="waitingline",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="waiting_lines", to="accounts.accessbatch"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessday",
            constraint=models.UniqueConstraint(
                fields=("account", "day", "kind", "public", "country", "network", "anonymiser"),
                name="one_day_of_access_per_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="cloudaccount",
            constraint=models.UniqueConstraint(fields=("source_system", "key"), name="one_account_per_source_key"),
        ),
        migrations.AddConstraint(
            model_name="seenbefore",
            constraint=models.UniqueConstraint(fields=("party", "earlier"), name="one_tie_per_earlier_party"),
        ),
        migrations.AddConstraint(
            model_name="seenbefore",
            constraint=models.UniqueConstraint(fields=("party", "remembered"), name="one_tie_per_remembered_customer"),
        ),
        migrations.AddConstraint(
            model_name="seenbefore",
            constraint=models.CheckConstraint(
                condition=models.Q(("earlier__isnull", True), ("remembered__isnull", True), _connector="XOR"),
                name="tie_to_one_earlier",
            ),
        ),
        migrations.AddIndex(
            model_name="waitingline",
            index=models.Index(fields=["address"], name="waiting_from_address"),
        ),
        migrations.AddConstraint(
            model_name="waitingline",
            constraint=models.UniqueConstraint(
                fields=("source_system", "account_key", "event_id"), name="one_waiting_line_per_source_event"
            ),
        ),
    ]
