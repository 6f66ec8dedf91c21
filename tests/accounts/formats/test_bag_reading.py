import functools
import json
import shutil
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from accounts.formats import bag, bag_reading
from tests.accounts.formats.bundles import KEY_ID, PUBLIC_KEY, add_line, make_bag, relist, verdict_on, write, zipped

OUTSIDE = ["../../etc/passwd", "data/../../x", "/etc/passwd", "~/x", "data\\..\\x", "C:/x", "data/a%0Ab", "data/a%0D"]


def every_file(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def name_in(folder, path):
    return str(path.relative_to(folder))


class TestWholeBundles:
    def test_t25_a_basic_bundle_is_whole(self, tmp_path):
        verdict = verdict_on(make_bag(tmp_path))

        assert verdict.code == 0
        assert verdict.line == "Whole: 2 files, signed with key “bundles-2026”."

    @pytest.mark.parametrize("inside", ["", "B-2026-0001/"])
    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_it_reads_a_zip_of_a_bundle(self, tmp_path, inside, compression):
        packed = zipped(make_bag(tmp_path), tmp_path / "b.zip", inside=inside, compression=compression)

        assert verdict_on(packed).code == 0

    def test_it_reads_a_zip_that_lists_its_folders(self, tmp_path):
        folder = make_bag(tmp_path)
        packed = shutil.make_archive(str(tmp_path / "b"), "zip", tmp_path, folder.name)

        assert verdict_on(packed).code == 0

    @pytest.mark.parametrize("keys", [None, {}, {"bundles-2025": PUBLIC_KEY}])
    def test_th36_an_unknown_key_is_not_success(self, tmp_path, keys):
        verdict = verdict_on(make_bag(tmp_path), trusted_keys=keys)

        assert verdict.code == 3
        assert KEY_ID in verdict.line

    def test_a_bundle_signed_under_our_key_id_by_another_key_is_tampered(self, tmp_path):
        folder = make_bag(tmp_path)
        relist(folder, sign_with=Ed25519PrivateKey.generate())

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "signature.json" in verdict.line

    def test_it_asks_for_a_witness_only_when_wanted(self, tmp_path):
        folder = tmp_path / "B"
        noted = write(folder).tagmanifest_sha256

        assert verdict_on(folder, witness_wanted=True).code == 4
        assert verdict_on(folder, witness_wanted=True, witness=noted).code == 0
        assert verdict_on(folder, witness=noted.upper() + "\n").code == 0

    def test_th35_a_witness_shows_a_bundle_exchanged_for_another_of_ours(self, tmp_path):
        noted = write(tmp_path / "first").tagmanifest_sha256
        write(tmp_path / "second", files=[("facts.json", b"{}")])

        verdict = verdict_on(tmp_path / "second", witness=noted)

        assert verdict.code == 1
        assert "witness" in verdict.line


class TestEveryByte:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch):
        """A short verifier, and each signature judged once, which takes milliseconds in pure Python."""
        monkeypatch.setattr(bag, "verifier", lambda: b"pass\n")
        monkeypatch.setattr(bag_reading, "is_valid", functools.cache(bag_reading.is_valid))

    @pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
    def test_th35_any_changed_byte_of_any_file_is_found_and_the_file_named(self, tmp_path, mask):
        folder = make_bag(tmp_path, files=[("a.txt", b"one\n"), ("b/c.csv", b"2")])

        for path in every_file(folder):
            whole = path.read_bytes()
            for at in range(len(whole)):
                path.write_bytes(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :])
                verdict = verdict_on(folder)
                assert verdict.code == 1, (path.name, at, verdict)
                assert path.name in verdict.line, (path.name, at, verdict)
                assert "\n" not in verdict.line
            path.write_bytes(whole)

        assert verdict_on(folder).code == 0

    @pytest.mark.parametrize("change", [lambda whole: whole[:-1], lambda whole: whole + b"\n", lambda whole: b""])
    def test_th35_any_cut_or_longer_file_is_found(self, tmp_path, change):
        folder = make_bag(tmp_path)

        for path in every_file(folder):
            whole = path.read_bytes()
            path.write_bytes(change(whole))
            verdict = verdict_on(folder)
            assert verdict.code == 1, (path.name, verdict)
            assert path.name in verdict.line
            path.write_bytes(whole)

    def test_th35_any_missing_or_renamed_file_is_found(self, tmp_path):
        folder = make_bag(tmp_path)

        for path in every_file(folder):
            elsewhere = path.with_name("renamed.txt")
            path.rename(elsewhere)
            assert verdict_on(folder).code == 1, path.name
            elsewhere.rename(path)

    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_changed_byte_of_a_zip_is_found_or_changes_no_content(self, tmp_path, compression):
        folder = make_bag(tmp_path, files=[("a.txt", b"one\n")])
        packed = zipped(folder, tmp_path / "b.zip", compression=compression)
        whole = packed.read_bytes()
        contents = {name_in(folder, path): path.read_bytes() for path in every_file(folder)}

        for at in range(0, len(whole), 3):
            packed.write_bytes(whole[:at] + bytes([whole[at] ^ 0x21]) + whole[at + 1 :])
            verdict = verdict_on(packed)
            assert verdict.code in (0, 1, 2), (at, verdict)
            if verdict.code == 0:
                with zipfile.ZipFile(packed) as archive:
                    assert {name: archive.read(name) for name in archive.namelist()} == contents


class TestSpoiltBundles:
    def test_t25_a_corrupt_data_file_is_named(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "data/facts.json").write_bytes(b'{"case": "C-2"}\n')

        assert verdict_on(folder) == bag_reading.Verdict(
            1, "“data/facts.json” was changed: its digest is not the one listed."
        )

    @pytest.mark.parametrize("name", ["data/extra.txt", "extra.txt", "notes/extra.txt", "data/.hidden"])
    def test_t25_an_extra_file_is_named(self, tmp_path, name):
        folder = make_bag(tmp_path)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert f"“{name}” is not listed" in verdict.line

    def test_an_empty_folder_is_named(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "data/empty").mkdir()

        assert verdict_on(folder).line == "“data/empty” is an empty folder that no manifest names."

    @pytest.mark.parametrize("name", bag_reading.REQUIRED)
    def test_t25_each_missing_part_is_named(self, tmp_path, name):
        folder = make_bag(tmp_path)
        (folder / name).unlink()

        assert verdict_on(folder) == bag_reading.Verdict(1, f"“{name}” is missing.")

    def test_t25_a_missing_data_file_is_named(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "data/facts.json").unlink()

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "“data/facts.json” is missing" in verdict.line

    @pytest.mark.parametrize("path", OUTSIDE)
    @pytest.mark.parametrize("manifest", ["manifest-sha256.txt", "tagmanifest-sha512.txt", "manifest-md5.txt"])
    def test_t25_a_path_that_leads_out_is_refused_before_any_content_is_read(
        self, tmp_path, monkeypatch, path, manifest
    ):
        folder = make_bag(tmp_path)
        if manifest == "manifest-md5.txt":
            (folder / manifest).write_text(f"d41d8cd98f00b204e9800998ecf8427e  {path}\n")
        else:
            add_line(folder, path, manifest)
        (folder / "data/facts.json").write_bytes(b"corrupt as well")
        (folder / "signature.json").unlink()
        opened = watch_opened(monkeypatch)

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert manifest in verdict.line
        assert bag_reading.shown(path) in verdict.line
        assert all("manifest-" in name for name in opened)

    @pytest.mark.parametrize("path", OUTSIDE)
    def test_t25_a_path_that_leads_out_of_fetch_txt_is_refused_first(self, tmp_path, path):
        folder = make_bag(tmp_path)
        (folder / "fetch.txt").write_text(f"https://example.org/x - {path}\n")

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert bag_reading.shown(path) in verdict.line

    def test_files_to_be_fetched_from_elsewhere_are_refused(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "fetch.txt").write_text("https://example.org/x - data/facts.json\n")
        relist(folder)

        assert verdict_on(folder).line == "“fetch.txt” does not belong in a bundle."

    @pytest.mark.parametrize("path", ["data/facts.json", "data/FACTS.json", "DATA/facts.json"])
    def test_t25_a_manifest_entry_twice_is_refused_even_when_signed(self, tmp_path, path):
        folder = make_bag(tmp_path)
        add_line(folder, path)
        relist(folder)

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "twice" in verdict.line

    @pytest.mark.parametrize("line", ["zz", "abc  data/other.json", "\t", "A" * 64 + "  data/a.txt"])
    def test_a_line_that_is_no_entry_is_named_even_when_signed(self, tmp_path, line):
        folder = make_bag(tmp_path)
        with (folder / "manifest-sha256.txt").open("a") as stream:
            stream.write(line + "\n")
        relist(folder)

        assert verdict_on(folder).line == "“manifest-sha256.txt”, line 3, is not a digest and a path."

    def test_an_unknown_kind_of_manifest_is_refused_even_when_signed(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "manifest-md5.txt").write_text("d41d8cd98f00b204e9800998ecf8427e  data/facts.json\n")
        relist(folder)

        assert verdict_on(folder).line == "“manifest-md5.txt” does not belong in a bundle."

    def test_manifests_that_disagree_on_a_digest_are_named_even_when_signed(self, tmp_path):
        folder = make_bag(tmp_path)
        manifest = folder / "manifest-sha512.txt"
        manifest.write_text("".join("0" * 128 + line[128:] for line in manifest.read_text().splitlines(keepends=True)))
        relist(folder)

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "disagree" in verdict.line
        assert "manifest-sha512.txt" in verdict.line

    def test_manifests_that_disagree_on_the_files_are_named_even_when_signed(self, tmp_path):
        folder = make_bag(tmp_path)
        manifest = folder / "manifest-sha512.txt"
        manifest.write_text(
            "".join(line for line in manifest.read_text().splitlines(keepends=True) if "facts" not in line)
        )
        relist(folder)

        assert verdict_on(folder).line == "“data/facts.json” is not listed in “manifest-sha512.txt”."

    @pytest.mark.parametrize(
        "oxum", ["Payload-Oxum: 61.2", "Payload-Oxum: 60.3", "", "Payload-Oxum: 60.2\nPayload-Oxum: 1.1"]
    )
    def test_a_wrong_count_of_the_payload_is_named_even_when_signed(self, tmp_path, oxum):
        folder = make_bag(tmp_path)
        info = (folder / "bag-info.txt").read_text().replace("Payload-Oxum: 60.2", oxum)
        (folder / "bag-info.txt").write_text(info)
        relist(folder)

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "bag-info.txt" in verdict.line

    def test_a_rewritten_bundle_without_our_key_fails_at_the_tag_manifest(self, tmp_path):
        folder = make_bag(tmp_path)
        signature = (folder / "signature.json").read_bytes()
        (folder / "bag-info.txt").write_text("Payload-Oxum: 60.2\n")
        relist(folder)
        (folder / "signature.json").write_bytes(signature)

        assert verdict_on(folder).line == "“tagmanifest-sha256.txt” is not the one that was signed."

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"[]",
            b"null",
            b"{}",
            b"[" * 5000,
            b"\xff",
            b'{"key_id": "\\ud800"}',
            b'{"key_id": 1' + b"0" * 5000 + b"}",
        ],
    )
    def test_a_signature_file_of_another_form_is_named(self, tmp_path, document):
        folder = make_bag(tmp_path)
        (folder / "signature.json").write_bytes(document)

        assert verdict_on(folder) == bag_reading.Verdict(1, "“signature.json” does not hold a valid signature.")

    def test_the_same_signature_written_in_another_way_is_refused(self, tmp_path):
        folder = make_bag(tmp_path)
        document = json.loads((folder / "signature.json").read_bytes())
        (folder / "signature.json").write_text(json.dumps({**document, "note": "checked by counsel"}))

        assert verdict_on(folder).code == 1

    def test_messages_hold_at_most_80_escaped_characters_of_a_name(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "data" / ("\x1b[31m" + "x" * 200)).write_bytes(b"")

        verdict = verdict_on(folder)

        assert verdict.code == 1
        assert "\x1b" not in verdict.line
        assert "x" * 81 not in verdict.line


def watch_opened(monkeypatch):
    """Note the name of every file of a folder that is opened from here on."""
    opened = []
    stock = bag_reading.FolderSource.open

    def watched(self, name):
        opened.append(name)
        return stock(self, name)

    monkeypatch.setattr(bag_reading.FolderSource, "open", watched)
    return opened
