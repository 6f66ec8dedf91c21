"""What is done to API keys, and with them."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to API keys, and with them."""

    KEY_CREATED = "api.key_created", "made {key} for {owner}: {scopes}", "until", GRAVE
    KEY_REVOKED = "api.key_revoked", "revoked {key}", GRAVE
    KEY_USED = "api.key_used", "used {key} for the first time on {day}"
    REFUSED = "api.refused", "was refused at the door of the API ({why})"
    ANSWER_REFUSED = "api.answer_refused", "was refused at the door of the outside verifier ({why})"
