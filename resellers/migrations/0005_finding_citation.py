"""A finding bears the citation its clock was started under; those on file take it from that clock."""

import django.db.models.deletion
from django.db import migrations, models

OLD_CLOCK, CLOCK = "cure, or end of the relationship", "cure"
FIGURE = "reseller_end_days"


def take_from_clocks(apps, schema_editor):
    """The clock's citation; the figure's, should a finding have none."""
    findings, deadlines = apps.get_model("resellers", "Finding"), apps.get_model("policy", "Deadline")
    numbers = apps.get_model("policy", "RegimeNumber")
    deadlines.objects.filter(kind=OLD_CLOCK).update(kind=CLOCK)
    for finding in findings.objects.filter(citation__isnull=True).iterator():
        clock = deadlines.objects.filter(kind=CLOCK, key=str(finding.pk)).first()
        source = clock or numbers.objects.filter(name=FIGURE).order_by("pk").first()
        findings.objects.filter(pk=finding.pk).update(citation_id=source.citation_id)


class Migration(migrations.Migration):
    dependencies = [("policy", "0004_statement_versions"), ("resellers", "0004_findings")]

    operations = [
        migrations.AddField(
            "finding",
            "citation",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="policy.citation"
            ),
        ),
        migrations.RunPython(take_from_clocks, migrations.RunPython.noop),
        migrations.AlterField(
            "finding",
            "citation",
            models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="policy.citation"),
        ),
    ]
