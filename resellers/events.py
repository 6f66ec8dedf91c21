"""What resellers tell the parts that look after their rosters; receivers run inside the same transaction.

roster_changed  keyword arguments upload (RosterUpload), by, at: its rows are in force, those they replace have ended
"""

from django.dispatch import Signal

roster_changed = Signal()
