"""What is done to members of staff."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to members of staff."""

    ADDED = "staff.added", "added a member of staff"
    ROLES_CHANGED = "staff.roles_changed", "changed the roles from {old} to {new}", GRAVE
    LEFT = "staff.left", "made the member of staff inactive"
    LOGGED_IN = "staff.logged_in", "logged in"
    LOGIN_REFUSED = "staff.login_refused", "was refused at log-in"
    GLASS_TAKEN = "staff.glass_taken", "took “{what}” until {until} ({reason}, {rests_on})", GRAVE
    GLASS_GIVEN_BACK = "staff.glass_given_back", "gave “{what}” back early"
    GLASS_TOLD = "staff.glass_told", "told {count} auditors of “{what}” and what was done with it ({rows} events)"
    GLASS_REVIEWED = "staff.glass_reviewed", "noted that the use of “{what}” was looked at"
    ROLES_SYNCED = "staff.roles_synced", "made the groups agree with the table of roles ({changed} changed)"
