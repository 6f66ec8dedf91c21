"""What is done to members of staff."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to members of staff."""

    ADDED = "staff.added", "added a member of staff"
    ROLES_CHANGED = "staff.roles_changed", "changed the roles from {old} to {new}", GRAVE
    LEFT = "staff.left", "made the member of staff inactive"
    LOGGED_IN = "staff.logged_in", "logged in"
    LOGIN_REFUSED = "staff.login_refused", "was refused at log-in"
    ROLES_SYNCED = "staff.roles_synced", "made the groups agree with the table of roles ({changed} changed)"
