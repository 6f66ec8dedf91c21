"""The verifier in each bundle says what the portal's own says, with the standard library alone (R114, T25)."""

import ast
import json
import subprocess
import sys
import types

import pytest

from accounts.formats import bag_reading
from accounts.formats.bag_reading import KEY_UNKNOWN, NO_WITNESS, WHOLE
from accounts.formats.bag_verifier import verifier
from tests.accounts.formats.bad_bags import OUTSIDE, WAYS
from tests.accounts.formats.bundles import KEY_ID, PUBLIC_KEY, add_line, make_bag, verdict_on, write

# Notes every file that the program opens, and fails loudly on one that lies outside of the bundle.
WATCHED = """
import runpy, sys
root, opened = sys.argv[1], []
def watch(event, arguments):
    name = str(arguments[0])
    is_own = name.isdigit() or name.startswith(sys.base_prefix) or name == root + "/verify_bundle.py"
    if event == "open" and not is_own:
        opened.append(name)
sys.argv = ["verify_bundle.py", root]
sys.addaudithook(watch)
try:
    runpy.run_path(root + "/verify_bundle.py", run_name="__main__")
except SystemExit as ended:
    print(opened)
    sys.exit(ended.code)
"""


@pytest.fixture(scope="module")
def alone():
    """The file of a bundle as a module of its own."""
    module = types.ModuleType("verify_bundle")
    sys.modules["verify_bundle"] = module  # dataclasses look there
    exec(compile(verifier(), "verify_bundle.py", "exec"), module.__dict__)  # noqa: S102, our own text
    yield module
    del sys.modules["verify_bundle"]


def run(*arguments) -> tuple[int, str]:
    """Run it as a recipient would, with no package of this environment in reach."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


class TestTheFile:
    def test_it_is_one_file_of_the_standard_library_and_python_3_9(self):
        tree = ast.parse(verifier(), feature_version=(3, 9))

        imported = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert "hashlib" in imported and imported <= sys.stdlib_module_names

    def test_it_lies_in_every_bundle_under_its_seal(self, tmp_path):
        folder = make_bag(tmp_path)

        assert (folder / "verify_bundle.py").read_bytes() == verifier()
        assert "verify_bundle.py" in (folder / "tagmanifest-sha256.txt").read_text()

    def test_no_two_of_its_parts_use_the_same_name(self):
        names = [node.name for node in ast.parse(verifier()).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        names += [
            target.id
            for node in ast.parse(verifier()).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        ]

        assert sorted(names) == sorted(set(names))


class TestAlone:
    def test_it_finds_its_own_bundle_whole_and_writes_nothing(self, tmp_path):
        folder = tmp_path / "B-2026-0001"
        noted = write(folder).tagmanifest_sha256
        keys = tmp_path / "keys.json"
        keys.write_text(json.dumps({KEY_ID: PUBLIC_KEY.hex()}))
        before = sorted(tmp_path.rglob("*"))

        script = folder / "verify_bundle.py"
        assert run(script)[0] == KEY_UNKNOWN
        assert run(script, "--keys", keys) == (WHOLE, "Whole: 2 files, signed with key “bundles-2026”.")
        assert run(script, "--keys", keys, "--ask-witness")[0] == NO_WITNESS
        assert run(script, "--keys", keys, "--witness", noted, folder)[0] == WHOLE
        assert run(script, "--keys", keys, "--witness", "0" * 64)[0] == 1
        assert run(script, tmp_path / "nowhere")[0] == 2
        assert sorted(tmp_path.rglob("*")) == before

    @pytest.mark.parametrize("path", OUTSIDE[:4])
    def test_t25_nothing_but_manifests_is_opened_before_a_path_that_leads_out_is_refused(self, tmp_path, path):
        folder = make_bag(tmp_path)
        (tmp_path / "outside.txt").write_text("not yours")
        add_line(folder, path)

        code, said = run("-c", WATCHED, folder)

        opened = ast.literal_eval(said.splitlines()[-1])
        assert code == 1 and bag_reading.shown(path) in said
        assert {name.removeprefix(f"{folder}/") for name in opened} <= {"manifest-sha256.txt"}

    def test_t25_nothing_at_all_is_opened_before_a_link_that_leads_out_is_refused(self, tmp_path):
        folder = make_bag(tmp_path)
        (folder / "data/link").symlink_to("/etc/passwd")

        code, said = run("-c", WATCHED, folder)

        assert (code, said.splitlines()[-1]) == (1, "[]")


class TestConformance:
    @pytest.mark.parametrize("way", WAYS)
    def test_t25_every_bad_bag_is_refused_alike_by_both(self, tmp_path, alone, way):
        code, spoil = WAYS[way]
        folder = make_bag(tmp_path)
        assert verdict_on(folder).code == WHOLE
        spoil(folder)

        ours = verdict_on(folder)
        theirs = alone.verify_bag(folder, {KEY_ID: PUBLIC_KEY})

        assert ours.code == code, ours.line
        assert (theirs.code, theirs.line) == (ours.code, ours.line)
