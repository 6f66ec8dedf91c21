"""What is done to members of staff."""

from kyc_portal.records.verbs import GRAVE, AuditVerb


class Verb(AuditVerb):
    """What is done to members of staff."""

    ADDED = "staff.added", "added a member of staff"
    ROLES_CHANGED = "staff.roles_changed", "changed the roles from {old} to {new}", GRAVE
    LEFT = "staff.left", "made the member of staff inactive"
    LOGGED_IN = "staff.logged_in", "logged in", "method"
    LOGGED_OUT = "staff.logged_out", "logged out"
    LOGIN_REFUSED = "staff.login_refused", "was refused at log-in ({reason})"
    LOCKED_OUT = "staff.locked_out", "is locked out after {count} refused log-ins", GRAVE
    LOCK_LIFTED = "staff.lock_lifted", "lifted the lock on log-ins ({count} counts)", GRAVE
    CONFIRMED = "staff.confirmed", "confirmed who they are by {method}"
    FACTOR_ADDED = "staff.factor_added", "added a second factor ({kind})", GRAVE
    FACTOR_REMOVED = "staff.factor_removed", "removed a second factor ({kind})", GRAVE
    FACTORS_CLEARED = "staff.factors_cleared", "removed every second factor ({count})", GRAVE
    CODES_RENEWED = "staff.codes_renewed", "made new recovery codes"
    SESSION_ENDED = "staff.session_ended", "ended a session ({reason})"
    SESSIONS_ENDED = "staff.sessions_ended", "ended the sessions ({reason})"
    LINK_MADE = "staff.link_made", "made a link by which the person chooses a password", GRAVE
    PASSWORD_CHOSEN = "staff.password_chosen", "chose a password by a link"
    PASSWORD_CHANGED = "staff.password_changed", "changed the password"
    IDENTITY_LINKED = "staff.identity_linked", "logged in by single sign-on for the first time"
    GLASS_TAKEN = "staff.glass_taken", "took “{what}” until {until} ({reason}, {rests_on})", GRAVE
    GLASS_GIVEN_BACK = "staff.glass_given_back", "gave “{what}” back early"
    GLASS_TOLD = "staff.glass_told", "told {count} auditors of “{what}” and what was done with it ({rows} events)"
    GLASS_REVIEWED = "staff.glass_reviewed", "noted that the use of “{what}” was looked at"
    ROLES_SYNCED = "staff.roles_synced", "made the groups agree with the table of roles ({changed} changed)"
