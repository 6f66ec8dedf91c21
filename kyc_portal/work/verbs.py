"""What is done to jobs by hand."""

from kyc_portal.records.verbs import AuditVerb


class Verb(AuditVerb):
    """What is done to jobs by hand."""

    REVIVED = "work.job.revived", "brought a dead letter back to life ({kind})"
