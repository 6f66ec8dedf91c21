"""What a key may do: one table. A scope rests on a permission that the key's owner must hold by role, now."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """`code` stands in the key and in the trail, `permission` is the owner's."""

    code: str
    words: str
    permission: str


SCOPES = {
    scope.code: scope
    for scope in (
        Scope("access_logs.write", "hand in access logs of accounts", "accounts.import_customers"),
        Scope("abuse_reports.write", "hand in abuse reports", "cases.take_in_abusereport"),
        Scope("accounts.read", "ask what is still missing of a customer", "accounts.view_account"),
        Scope("access.read", "ask whether an account may use a product", "accounts.view_account"),
        Scope("audit.read", "fetch the newest checkpoint of the audit trail", "records.view_auditevent"),
    )
}
