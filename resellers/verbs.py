"""What is done to resellers and their customers."""

from kyc_portal.records.verbs import AuditVerb


class Verb(AuditVerb):
    """What is done to resellers and their customers."""

    ADDED = "resellers.added", "added the reseller {reseller}"
    MANAGER_BOUND = "resellers.manager_bound", "bound the manager {manager} to {reseller}"
    BINDING_ENDED = "resellers.binding_ended", "ended the binding of {manager} to {reseller}"
    RESELLER_CHANGED = "resellers.reseller_changed", "wrote down that {account} is now sold through {reseller}", "old"
    CUSTOMER_ADDED = "resellers.customer_added", "wrote down that {account} was brought by {reseller}"
