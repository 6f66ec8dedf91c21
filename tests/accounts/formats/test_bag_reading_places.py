import json
import os
import stat
import subprocess
import sys
import zipfile
import zlib

import pytest

from accounts.formats import bag_reading
from accounts.formats.bag_reading import main, read_trusted_keys, verify_bag
from tests.accounts.formats.bundles import KEY_ID, PUBLIC_KEY, make_bag, verdict_on, zipped


class TestFolders:
    @pytest.mark.parametrize("target", ["/etc/passwd", "data/facts.json", "data"])
    def test_a_link_is_refused(self, tmp_path, target):
        folder = make_bag(tmp_path)
        (folder / "data/link").symlink_to(folder / target)

        assert verdict_on(folder).line == "“data/link” is a link or a device, not a file."

    def test_a_pipe_is_refused_without_waiting_on_it(self, tmp_path):
        folder = make_bag(tmp_path)
        os.mkfifo(folder / "data/pipe")

        assert verdict_on(folder).line == "“data/pipe” is a link or a device, not a file."

    def test_a_file_exchanged_for_a_link_after_listing_is_not_followed(self, tmp_path):
        folder = make_bag(tmp_path)
        source = bag_reading.FolderSource(folder)
        (folder / "data/facts.json").unlink()
        (folder / "data/facts.json").symlink_to("/etc/passwd")

        with pytest.raises(OSError, match="symbolic link"):
            source.open("data/facts.json")

    @pytest.mark.parametrize("name", ["FACTS.json", "Access/x.csv"])
    def test_names_that_differ_only_by_case_are_refused(self, tmp_path, name):
        folder = make_bag(tmp_path)
        (folder / "data" / name).parent.mkdir(exist_ok=True)
        (folder / "data" / name).write_bytes(b"")

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "case or accents" in verdict.line

    @pytest.mark.parametrize("name", [b"Zoe\xcc\x81", b"\xff", b"a\nb", b"a\\b"])
    def test_names_that_could_mislead_are_refused(self, tmp_path, name):
        folder = make_bag(tmp_path)
        with open(os.path.join(os.fsencode(folder), b"data", name), "wb"):
            pass

        assert verdict_on(folder).code == 1

    @pytest.mark.parametrize("content", [None, b"", b"no zip"])
    def test_what_is_no_bundle_is_unreadable(self, tmp_path, content):
        path = tmp_path / "B-2026-0009"
        if content is not None:
            path.write_bytes(content)

        verdict = verdict_on(path)

        assert verdict.code == 2
        assert "B-2026-0009" in verdict.line

    def test_a_folder_of_something_else_is_unreadable(self, tmp_path):
        (tmp_path / "holiday.txt").write_bytes(b"")

        assert verdict_on(tmp_path).code == 2

    def test_g11_a_file_that_cannot_be_read_is_named(self, tmp_path, monkeypatch):
        folder = make_bag(tmp_path)
        stock = bag_reading.os.open

        def failing(path, flags, *rest, **named):
            if str(path).endswith("facts.json"):
                raise OSError(5, "Input/output error")
            return stock(path, flags, *rest, **named)

        monkeypatch.setattr(bag_reading.os, "open", failing)

        assert verdict_on(folder) == bag_reading.Verdict(2, "“data/facts.json” cannot be read: Input/output error.")


class TestZips:
    def spoilt(self, tmp_path, *entries):
        """A zip of a whole bundle with further entries: (ZipInfo or name, content)."""
        packed = zipped(make_bag(tmp_path), tmp_path / "b.zip")
        with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return packed

    @pytest.mark.parametrize("name", ["../x", "data/../../x", "/etc/passwd", "~/x", "a\\b", "C:/x", "data/../"])
    def test_b22_a_path_that_leads_out_is_refused_and_named(self, tmp_path, name):
        verdict = verdict_on(self.spoilt(tmp_path, (name, b"")))

        assert verdict.code == 1
        assert bag_reading.shown(name.removesuffix("/")) in verdict.line

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
    def test_b22_a_link_or_device_is_refused_and_named(self, tmp_path, kind):
        entry = zipfile.ZipInfo("data/link")
        entry.external_attr = (kind | 0o644) << 16

        verdict = verdict_on(self.spoilt(tmp_path, (entry, b"/etc/passwd")))

        assert verdict == bag_reading.Verdict(1, "“data/link” is a link or a device, not a file.")

    @pytest.mark.parametrize("name", ["data/facts.json", "data/Facts.json"])
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_b22_a_name_twice_is_refused_and_named(self, tmp_path, name):
        verdict = verdict_on(self.spoilt(tmp_path, (name, b"x")))

        assert verdict.code == 1
        assert name in verdict.line

    def test_b22_a_wrong_checksum_is_named(self, tmp_path):
        packed = zipped(make_bag(tmp_path), tmp_path / "b.zip", compression=zipfile.ZIP_STORED)
        whole = packed.read_bytes()
        packed.write_bytes(whole.replace(b'{"case": "C-1"}', b'{"case": "C-2"}'))

        assert verdict_on(packed) == bag_reading.Verdict(1, "“data/facts.json” is damaged inside the zip.")

    def test_an_encrypted_entry_is_unreadable(self, tmp_path):
        packed = zipped(make_bag(tmp_path), tmp_path / "b.zip")
        whole = bytearray(packed.read_bytes())
        central = whole.index(b"PK\x01\x02")
        whole[central + 8] |= 0x1
        packed.write_bytes(whole)

        verdict = verdict_on(packed)

        assert verdict.code == 2
        assert "encrypted" in verdict.line

    def test_an_unusual_packing_is_unreadable(self, tmp_path):
        packed = zipped(make_bag(tmp_path), tmp_path / "b.zip", compression=zipfile.ZIP_LZMA)

        assert verdict_on(packed).code == 2

    def test_a_bomb_is_refused_unread(self, tmp_path, monkeypatch):
        packed = self.spoilt(tmp_path, ("data/bomb.bin", bytes(50 << 20)))
        monkeypatch.setattr(bag_reading.zipfile.ZipFile, "open", None)

        verdict = verdict_on(packed)

        assert verdict.code == 2
        assert "unpacks to far more" in verdict.line

    def test_an_entry_that_lies_about_its_size_is_damaged(self, tmp_path):
        packed = self.spoilt(tmp_path, ("data/bomb.bin", bytes(1 << 20)))
        whole = bytearray(packed.read_bytes())
        central = whole.rindex(b"PK\x01\x02")
        whole[central + 24 : central + 28] = (10).to_bytes(4, "little")
        packed.write_bytes(whole)

        assert verdict_on(packed).code == 1

    def test_too_many_entries_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(bag_reading, "ZIP_ENTRY_LIMIT", 5)

        assert verdict_on(zipped(make_bag(tmp_path), tmp_path / "b.zip")).code == 2


class TestFromTheCommandLine:
    def test_it_runs_without_django_and_exits_with_the_code(self, tmp_path):
        folder = make_bag(tmp_path)
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({KEY_ID: PUBLIC_KEY.hex()}))
        program = (
            "import sys; sys.modules['django'] = None; from accounts.formats.bag_reading import main; sys.exit(main())"
        )

        ran = subprocess.run(
            [sys.executable, "-c", program, str(folder), "--keys", str(keys)],
            capture_output=True,
            text=True,
            check=False,
        )

        assert (ran.returncode, ran.stdout) == (0, "Whole: 2 files, signed with key “bundles-2026”.\n")

    def test_it_asks_for_a_witness(self, tmp_path, capsys):
        folder = make_bag(tmp_path)
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({KEY_ID: PUBLIC_KEY.hex()}))

        assert main([str(folder), "--keys", str(keys), "--ask-witness"]) == 4
        assert main([str(folder)]) == 3
        assert "no witness" in capsys.readouterr().out

    @pytest.mark.parametrize("content", [None, "", "[]", '{"k": 5}', '{"k": "zz"}', "[" * 100_000, '"\\ud800"'])
    def test_a_bad_key_file_is_unreadable(self, tmp_path, content):
        keys = tmp_path / "keys.json"
        if content is not None:
            keys.write_text(content)

        assert main([str(make_bag(tmp_path)), "--keys", str(keys)]) == 2

    def test_it_reads_trusted_keys(self, tmp_path):
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({KEY_ID: PUBLIC_KEY.hex()}))

        assert read_trusted_keys(keys) == {KEY_ID: PUBLIC_KEY}
        assert verify_bag(make_bag(tmp_path), read_trusted_keys(keys)).code == 0


class TestMemory:
    def test_a_packed_bundle_of_many_megabytes_is_streamed(self, tmp_path):
        noise = [zlib.compress(os.urandom(1 << 20)) for _ in range(3)]
        folder = make_bag(tmp_path, files=[("large.bin", (noise[n % 3] for n in range(40)))])
        packed = zipped(folder, tmp_path / "b.zip", compression=zipfile.ZIP_STORED)
        program = (
            "import resource, sys; from pathlib import Path; from accounts.formats.bag_reading import verify_bag;"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
            "code = verify_bag(Path(sys.argv[1]), None).code;"
            "print(code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
        )

        ran = subprocess.run([sys.executable, "-c", program, str(packed)], capture_output=True, text=True, check=True)

        code, grown_megabytes = map(int, ran.stdout.split())
        assert code == 3
        assert grown_megabytes < 16
