import errno
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc

import bagit
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from accounts.formats import bag
from accounts.formats.bag import BagRefused
from tests.accounts.formats.bundles import FILES, INFO, KEY_ID, PUBLIC_KEY, make_bag, verdict_on, write

UNSAFE_NAMES = ["../facts.json", "/etc/passwd", "a/../../b", "./a", "a//b", "~root/x", "a\\b", "C:/x", "a%0Ab", "a%0dB"]
UNSAFE_NAMES += ["a.", "con.txt", "LPT1", "what?", "a*b", "a/"]
UNSAFE_NAMES += ["", " a", "a ", "a\nb", "a\x00b", "a\u202eb", "Zoe\u0301", "\ud800", "a" * 256, "a/" * 500 + "b"]


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestWriteBag:
    def test_t25_it_writes_what_the_official_validator_accepts(self, tmp_path):
        folder = make_bag(tmp_path)

        judged = bagit.Bag(str(folder))

        assert judged.validate()
        assert judged.version_info == (1, 0)
        assert sorted(judged.algorithms) == ["sha256", "sha512"]
        assert judged.info == {**INFO, "Payload-Oxum": "60.2"}
        assert sorted(judged.payload_files()) == ["data/access/records.csv", "data/facts.json"]

    def test_t25_the_official_program_accepts_it_and_sees_a_changed_file(self, tmp_path):
        folder = make_bag(tmp_path)
        command = [sys.executable, "-m", "bagit", "--validate", str(folder)]

        before = subprocess.run(command, capture_output=True, check=False)
        (folder / "data/facts.json").write_bytes(b'{"case": "C-2"}\n')
        after = subprocess.run(command, capture_output=True, check=False)

        assert (before.returncode, after.returncode) == (0, 1)

    def test_it_tells_what_it_wrote(self, tmp_path):
        summary = write(tmp_path / "B")

        assert (summary.payload_count, summary.payload_bytes) == (2, 60)
        listed = (tmp_path / "B/tagmanifest-sha256.txt").read_bytes()
        assert summary.tagmanifest_sha256 == hashlib.sha256(listed).hexdigest()

    def test_it_writes_the_same_bytes_for_the_same_input_in_any_order(self, tmp_path):
        write(tmp_path / "A")
        write(tmp_path / "B", files=reversed(FILES))

        assert contents(tmp_path / "A") == contents(tmp_path / "B")

    def test_the_signature_can_be_checked_from_the_document_alone(self, tmp_path):
        folder = make_bag(tmp_path)

        document = json.loads((folder / "signature.json").read_bytes())
        signature = bytes.fromhex(document.pop("signature"))
        signed = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

        Ed25519PublicKey.from_public_bytes(PUBLIC_KEY).verify(signature, signed)
        assert document["key_id"] == KEY_ID
        assert document["signed"] == {
            f"tagmanifest-{name}.txt": hashlib.new(name, (folder / f"tagmanifest-{name}.txt").read_bytes()).hexdigest()
            for name in ("sha256", "sha512")
        }
        assert "signature.json" not in (folder / "tagmanifest-sha256.txt").read_text()

    def test_it_streams_one_chunk_at_a_time(self, tmp_path):
        chunk = bytes(1 << 20)
        tracemalloc.start()

        write(tmp_path / "B", files=[("large.bin", (chunk for _ in range(40)))])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak < 8 << 20
        assert (tmp_path / "B/data/large.bin").stat().st_size == 40 << 20

    def test_it_takes_an_empty_file(self, tmp_path):
        folder = make_bag(tmp_path, files=[("empty.txt", b"")])

        assert bagit.Bag(str(folder)).validate()
        assert verdict_on(folder).code == 0

    def test_nobody_else_may_read_the_folder(self, tmp_path):
        assert make_bag(tmp_path).stat().st_mode & 0o077 == 0


class TestRefusals:
    @pytest.mark.parametrize("name", UNSAFE_NAMES)
    def test_it_refuses_a_name_that_could_lead_out_or_mislead(self, tmp_path, name):
        with pytest.raises(BagRefused, match="Give the file another name"):
            write(tmp_path / "B", files=[*FILES, (name, b"x")])

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["facts.json", "FACTS.json", "facts.json/inner", "access", "Access/other.csv"])
    def test_it_refuses_two_names_that_some_system_takes_for_one(self, tmp_path, name):
        with pytest.raises(BagRefused, match="twice"):
            write(tmp_path / "B", files=[*FILES, (name, b"x")])

        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "info",
        [
            {"Contact-Name": "A\nPayload-Oxum: 1.1"},
            {"Contact-Name": " "},
            {"Contact Name": "A"},
            {"payload-oxum": "1.1"},
        ],
    )
    def test_it_refuses_words_that_would_change_the_form_of_bag_info(self, tmp_path, info):
        with pytest.raises(BagRefused, match=r"bag-info\.txt"):
            write(tmp_path / "B", info=info)

        assert list(tmp_path.iterdir()) == []

    def test_it_refuses_an_empty_bundle(self, tmp_path):
        with pytest.raises(BagRefused, match="at least one file"):
            write(tmp_path / "B", files=[])

    def test_it_refuses_to_write_over_a_bundle(self, tmp_path):
        folder = make_bag(tmp_path)
        before = contents(folder)

        with pytest.raises(BagRefused, match="already stands"):
            make_bag(tmp_path, files=[("other.txt", b"x")])

        assert contents(folder) == before
        assert list(tmp_path.iterdir()) == [folder]

    def test_it_refuses_a_signature_of_another_key(self, tmp_path):
        with pytest.raises(BagRefused, match="do not belong together"):
            write(tmp_path / "B", sign=Ed25519PrivateKey.generate().sign)

        assert list(tmp_path.iterdir()) == []


class TestUnfinishedBundles:
    def test_g11_an_error_while_reading_leaves_nothing_and_passes_through(self, tmp_path):
        def torn():
            yield b"first half"
            assert not (tmp_path / "B").exists()
            raise OSError(errno.EIO, "Input/output error")

        with pytest.raises(OSError, match="Input/output error"):
            write(tmp_path / "B", files=[("a.txt", b"x"), ("b.txt", torn())])

        assert list(tmp_path.iterdir()) == []

    def test_g10_a_full_disk_is_said_and_leaves_nothing(self, tmp_path):
        def full():
            yield b"first half"
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(BagRefused, match="no room left"):
            write(tmp_path / "B", files=[("a.txt", full())])

        assert list(tmp_path.iterdir()) == []

    def test_g8_the_leftover_of_a_killed_try_is_cleared_away(self, tmp_path):
        leftover = tmp_path / ".B-2026-0001.part"
        (leftover / "data").mkdir(parents=True)
        (leftover / "data/half.csv").write_bytes(b"half")
        (leftover / "bagit.txt").write_bytes(b"half")

        folder = make_bag(tmp_path)

        assert verdict_on(folder).code == 0
        assert list(tmp_path.iterdir()) == [folder]

    def test_it_refuses_a_second_writer_and_leaves_the_first_alone(self, tmp_path):
        part = tmp_path / ".B-2026-0001.part"
        part.mkdir()
        (part / "bagit.txt").write_bytes(b"being written")
        first = os.open(part, os.O_RDONLY)
        fcntl.flock(first, fcntl.LOCK_EX)

        with pytest.raises(BagRefused, match="being written already"):
            make_bag(tmp_path)
        os.close(first)

        assert (part / "bagit.txt").read_bytes() == b"being written"

    def test_a_lock_won_on_a_folder_that_was_renamed_meanwhile_harms_nothing(self, tmp_path, monkeypatch):
        folder, part = tmp_path / "B-2026-0001", tmp_path / ".B-2026-0001.part"
        lock = fcntl.flock

        def finished_by_another(handle, operation):
            part.rename(folder)
            (folder / "bagit.txt").write_bytes(b"the other's")
            lock(handle, operation)

        monkeypatch.setattr(bag.fcntl, "flock", finished_by_another)

        with pytest.raises(BagRefused, match="being written already"):
            make_bag(tmp_path)

        assert (folder / "bagit.txt").read_bytes() == b"the other's"
