"""The screens of the shared ground; they live here, because only here may screens know the bases."""

from kyc_portal.staff.admin import breakglass, changes, members, notices, policy, products, purging, records, work

__all__ = ["breakglass", "changes", "members", "notices", "policy", "products", "purging", "records", "work"]
