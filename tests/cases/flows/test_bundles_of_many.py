"""A delivery that speaks of many customers, in a bundle about one of them: nothing of the others comes along."""

from pathlib import Path

import pytest
from django.conf import settings

from accounts.flows import access_log
from cases.flows import bundles
from kyc_portal.records.refs import SCHEDULER
from tests.accounts.logs import event, jsonl
from tests.builders import make_open_account
from tests.cases.builders import make_bundle, make_case
from tests.cases.flows.test_bundles import LATER, everything_readable, own_folder  # noqa: F401
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def deliver(account, *events):
    return access_log.import_access_lines(
        account, jsonl(*events), format="jsonl", file_name="others.log", by=SCHEDULER, at=NOON
    )


def build(case, counsel, second_counsel, **changes):
    bundle = make_bundle(case, by=counsel, approved_by=second_counsel, **changes)
    bundle = bundles.build(bundle, by=SCHEDULER, at=LATER)
    return bundle, Path(settings.BUNDLE_DIR) / bundle.reference / "data"


def test_only_the_records_of_the_accounts_asked_for_go_along(analyst_user, counsel, second_counsel):
    mine, other = make_open_account(), make_open_account()
    deliver(mine, event(1, principal="of-my-own-file"))
    many = deliver(
        None, event(2, account=mine.reference, principal="mine-of-many", source="9.9.9.9"),
        *(event(n, account=other.reference, principal="somebody-else", source="8.8.4.4") for n in range(10, 17)),
        event(20, account="key-of-nobody"),
    )  # fmt: skip
    without = deliver(None, event(30, account=other.reference, principal="somebody-else"))
    case = make_case(mine, "confirmed_list_hit", worked_by=analyst_user)

    bundle, data = build(case, counsel, second_counsel)

    told = everything_readable(data)
    records = (data / "access" / "records.csv").read_text()
    assert "of-my-own-file" in records and "mine-of-many" in records and len(records.splitlines()) == 3
    for secret in ("somebody-else", other.reference, "8.8.4.4", "key-of-nobody", without.reference, "others.log"):
        assert secret not in told
    assert f"of {many.read_count} records" not in told
    assert set(bundle.items.filter(data_class="access").values_list("label", flat=True)) == {
        "accounts.accessbatch", "accounts.account",
    }  # fmt: skip


def test_an_account_that_joins_the_case_after_the_approval_is_not_let_in(analyst_user, counsel, second_counsel):
    from cases.flows import triage

    mine, other = make_open_account(), make_open_account()
    deliver(None, event(1, account=mine.reference), event(2, account=other.reference, principal="somebody-else"))
    case = make_case(mine, "confirmed_list_hit", worked_by=analyst_user)
    bundle = make_bundle(case, by=counsel, approved_by=second_counsel)
    triage.add_subject(case, other, at=NOON)

    bundles.build(bundle, by=SCHEDULER, at=LATER)

    assert "somebody-else" not in everything_readable(Path(settings.BUNDLE_DIR) / bundle.reference / "data")
