"""The screens of the shared ground; they live here, because only here may screens know the bases."""

from kyc_portal.staff.admin import breakglass, members, notices, policy, records, work

__all__ = ["breakglass", "members", "notices", "policy", "records", "work"]
