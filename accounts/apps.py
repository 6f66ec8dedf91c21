from django.apps import AppConfig
from django.db.backends.signals import connection_created

from kyc_portal.records.append_only import refusing
from kyc_portal.records.triggers import TriggerSet, register


def _never_changed(vendor):
    """Editions stay as they are for good; a verdict is never changed, but goes when nothing names its address."""
    return [
        *refusing("accounts_rangeedition", ("update", "delete"), vendor),
        *refusing("accounts_addressverdict", ("update",), vendor),
    ]


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Customers"

    def ready(self):
        from accounts import events, receivers, tiles
        from accounts.flows import (
            access_follow_up,
            document_files,
            external_answers,
            external_checks,
            judging_anew,
            own_tables,
            privacy,
            reverification,
            seen_before,
            unverified,
            waiting,
            zone_reading,
        )
        from accounts.flows.editions import JUDGE_ANEW
        from accounts.models import Account, Party, RestrictedCustomer
        from kyc_portal.records.holds import allow_holds_on
        from kyc_portal.staff.site import add_tiles
        from kyc_portal.work import queue

        register(TriggerSet("verdict", "verdicts on addresses are", _never_changed))
        allow_holds_on(Party, Account, RestrictedCustomer)
        queue.register(document_files.DELETE_FILE, document_files.delete_file)
        queue.register(privacy.ERASE, privacy.carry_out)
        queue.register(zone_reading.READ_ZONE, zone_reading.read)
        queue.register(external_checks.HAND_OVER, external_checks.hand_over)
        queue.register(external_answers.READ, external_answers.interpret)
        queue.register(access_follow_up.FOLLOW_UP, access_follow_up.carry_on)
        queue.register(waiting.MOVE, waiting.move)
        queue.register(JUDGE_ANEW, judging_anew.judge_anew)
        queue.register(seen_before.LOOK_AGAIN, seen_before.look_again)
        events.location_changed.connect(reverification.take_new_location)
        events.signal_raised.connect(reverification.take_flag, dispatch_uid="accounts.flag_asks_again")
        events.account_closed.connect(unverified.end_with_account)
        connection_created.connect(own_tables.make, dispatch_uid="accounts.own_tables")
        receivers.connect()
        add_tiles(*tiles.TILES)
