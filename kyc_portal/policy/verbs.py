"""What is done to policy and clocks."""

from kyc_portal.records.verbs import AuditVerb


class Verb(AuditVerb):
    """What is done to policy and clocks."""

    CIP_APPROVED = "policy.cip.approved", "approved CIP version {number}, in force from {effective_from}", "sha256"
    NOTICE_APPROVED = (
        "policy.notice.approved", "approved privacy notice version {number}, in force from {effective_from}", "sha256",
    )  # fmt: skip
    STATEMENT_APPROVED = (
        "policy.statement.approved",
        "approved the wording of the statement “{kind}”, version {number}, in force from {effective_from}", "sha256",
    )  # fmt: skip
    CLOCK_STARTED = "policy.clock.started", "started the clock “{kind}”, due {due_on} ({citation})"
    CLOCK_STOPPED = "policy.clock.stopped", "stopped the clock “{kind}”"
    SHIPPED_TAKEN_IN = "policy.shipped", "took in {rows} shipped figures and citations"
    FIGURE_CHANGED = "policy.figure.changed", "changed {figure} of {regime} from {old} to {new}"
    HOLIDAY_ADDED = "policy.holiday.added", "entered {day} as a holiday"
    PRODUCT_PROPOSED = "policy.product.proposed", "proposed a version of the product {what} ({row})"
    PRODUCT_IN_FORCE = "policy.product.in_force", "put a version of the product {what} in force ({row})", "earlier"
    PRODUCT_ENDED = "policy.product.ended", "ended the proposal {row} for the product {what} ({state})"
