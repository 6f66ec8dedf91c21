"""The embedded broker: nobody takes a message that is not whole."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection


@pytest.fixture
def channel(tmp_path):
    folders = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    transport = "kyc_portal.work.file_broker:Transport"
    with Connection("filesystem://", transport=transport, transport_options=folders) as connection:
        yield connection.channel()


def test_a_message_is_not_taken_before_it_is_whole(channel, monkeypatch):
    write = Path.write_bytes

    def slowly(path, data):
        write(path, data[:3])
        with pytest.raises(Empty):
            channel._get("celery")
        return write(path, data)

    with monkeypatch.context() as slow:
        slow.setattr(Path, "write_bytes", slowly)
        channel._put("celery", {"task": "first"})
    channel._put("celery", {"task": "second"})

    assert channel._size("celery") == 2
    assert [channel._get("celery")["task"] for _ in range(2)] == ["first", "second"]
    with pytest.raises(Empty):
        channel._get("celery")
