"""The embedded broker, where messages are files: each comes into its folder whole.

The library's own creates a file there and then fills it. A worker that looks in between takes an empty message and
ends, and with it what was started beside it: a command that sends one while the demo runs would be enough.
"""

import os
import time
import uuid
from pathlib import Path

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Puts each message in place by its name, when it is written."""

    def _put(self, queue, payload, **kwargs):
        """Put a message onto a queue; names sort by time, as whoever reads them expects."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        part = Path(self.data_folder_out, f"{name}.part")  # no reader's ending
        try:
            part.write_bytes(str_to_bytes(dumps(payload)))
            os.replace(part, part.with_suffix(""))
        except OSError as error:
            raise ChannelError(f"A message cannot be added to {self.data_folder_out}.") from error


class Transport(filesystem.Transport):
    """What the Celery app is given for the broker `filesystem://` (kyc_portal/celery.py)."""

    Channel = Channel
