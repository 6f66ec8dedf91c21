"""What accounts tells the apps above it; receivers run inside the same transaction.

signal_raised   keyword arguments risk_signal (RiskSignal; "signal" is taken by the dispatcher), by, at
location_changed  keyword arguments party, by, at: an address in a country that was not on file before
owners_changed  keyword arguments account, by, at
account_closed  keyword arguments account, by, at
access_changed  keyword arguments changes (list of AccessChange), by, at: what other systems are told of these accounts
account_blocked  keyword arguments account, restriction, by, at: a block came into force
list_changed    keyword arguments snapshot (WatchlistSnapshot), by, at: this version is the current one from now on
"""

from django.dispatch import Signal

signal_raised = Signal()
location_changed = Signal()
owners_changed = Signal()
account_closed = Signal()
access_changed = Signal()
account_blocked = Signal()
list_changed = Signal()
