"""What resellers tell the parts beside them; receivers run inside the same transaction.

roster_changed  keyword arguments upload (RosterUpload), by, at: rows of its file have come in force, and others of its
                reseller have ended with them
"""

from django.dispatch import Signal

roster_changed = Signal()
