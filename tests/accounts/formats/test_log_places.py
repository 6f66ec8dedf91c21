"""Which files are meant, and that one which changes while it is read is refused."""

import hashlib
import os

import pytest

from accounts.formats.log_places import NoSuchPlace, places_of
from accounts.formats.steady_file import BUFFER, FileChanged, FileUnreadable, is_regular, open_steady


class TestPlaces:
    def test_a_folder_is_gone_through_in_the_order_of_its_paths(self, tmp_path):
        for name in ("b/2.json", "a.json", "b/10.json", "c"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")

        found = places_of([str(tmp_path), "-", str(tmp_path / "c")])

        assert [place.name for place in found] == ["a.json", "b/10.json", "b/2.json", "c", "standard input", "c"]
        assert found[4].path is None

    def test_standard_input_twice_cannot_be_meant(self):
        with pytest.raises(NoSuchPlace, match="Give - once"):
            places_of(["-", "-"])

    @pytest.mark.parametrize("given", ["", " ", "x" * 5_000])
    def test_what_cannot_be_meant_stands_among_the_others_with_its_refusal(self, given):
        before, place, after = places_of(["a", given, "b"])

        assert place.path is None and isinstance(place.refusal, NoSuchPlace) and place.name
        assert before.refusal is after.refusal is None

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "inner").mkdir()

        [place] = places_of([str(tmp_path)])

        assert place.name == tmp_path.name and "holds no file" in str(place.refusal)

    def test_a_file_that_is_not_there_is_told_when_it_is_opened(self, tmp_path):
        [place] = places_of([str(tmp_path / "absent")])

        with pytest.raises(FileUnreadable, match="absent cannot be read"):
            is_regular(place.path)
        with pytest.raises(FileUnreadable, match="absent cannot be read"):
            open_steady(place.path)


class TestSteadyFile:
    CONTENT = b"0123456789\n" * BUFFER

    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(self.CONTENT)
        return path

    def test_it_reads_as_often_as_wanted(self, path):
        with open_steady(path) as stream:
            for _ in range(2):
                stream.seek(0)
                assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(self.CONTENT).digest()
            stream.seek(5)
            assert stream.readline() == b"56789\n" and stream.tell() == 11
            stream.seek(-3, os.SEEK_END)
            assert stream.read() == b"89\n"

    def grow(path):
        with path.open("ab") as file:
            file.write(b"x")

    def shrink(path):
        os.truncate(path, 20)

    def touch(path):
        os.utime(path, (1, 1))

    def replace(path):
        other = path.with_name("other")
        other.write_bytes(path.read_bytes())
        other.replace(path)

    @pytest.mark.parametrize("change", [grow, shrink, touch, replace, os.remove])
    def test_a_change_while_it_is_read_is_told_at_its_end(self, path, change):
        with open_steady(path) as stream:
            stream.read(100)
            change(path)

            with pytest.raises(FileChanged, match="log changed while it was read"):
                while stream.read(10_000):
                    pass

    def test_other_bytes_at_the_same_time_are_noticed_by_their_hash(self, path):
        times = path.stat().st_atime_ns, path.stat().st_mtime_ns
        with open_steady(path) as stream:
            stream.read()
            with path.open("r+b") as file:
                file.write(b"X")
            os.utime(path, ns=times)
            stream.seek(0)

            with pytest.raises(FileChanged):
                stream.read()
