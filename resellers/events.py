"""What resellers tells the modules beside it; receivers run inside the same transaction.

roster_changed  keyword arguments upload (RosterUpload), ended (queryset of the RosterEntry rows that were in force
                until now), by, at: a roster came in force
"""

from django.dispatch import Signal

roster_changed = Signal()
