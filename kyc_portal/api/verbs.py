"""What is done to API keys, and with them; and to what other systems are told."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to API keys, and with them."""

    KEY_CREATED = "api.key_created", "made {key} for {owner}: {scopes}", "until", GRAVE
    KEY_REVOKED = "api.key_revoked", "revoked {key}", GRAVE
    KEY_USED = "api.key_used", "used {key} for the first time on {day}"
    REFUSED = "api.refused", "was refused at the door of the API ({why})"
    ANSWER_REFUSED = "api.answer_refused", "was refused at the door of the outside verifier ({why})"
    ENDPOINT_CREATED = "api.webhook.created", "has changes told to {row} under {key}", GRAVE
    ENDPOINT_KEY_CHANGED = "api.webhook.key_changed", "put {row} under {key} instead of {earlier}", GRAVE
    SECRET_CHANGED = (
        "api.webhook.secret_changed",
        "changed the secret of {row}; the former one signs until {until}",
        GRAVE,
    )
    FORMER_DROPPED = "api.webhook.former_dropped", "dropped the former secret of {row}", GRAVE
    ENDPOINT_ENDED = "api.webhook.ended", "ended {row}; {count} messages are dropped", GRAVE
    DELIVERED = "api.webhook.delivered", "told {row} ({code}, try {number})"
    DELIVERY_FAILED = "api.webhook.failed", "could not tell {row} ({code}, try {number}): {state}"
    SENT_AGAIN = "api.webhook.sent_again", "had {row} sent again"
