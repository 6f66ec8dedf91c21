"""What happens to notices."""

from kyc_portal.records.verbs import AuditVerb


class Verb(AuditVerb):
    """What happens to notices."""

    QUEUED = "notices.queued", "put the notice “{kind}” into the outbox"
    SENT = "notices.sent", "sent the notice “{kind}”"
    REMINDED = "notices.reminded", "reminded the owners of the clock “{kind}”, due {due_on}"
