"""The layout keeps itself: imports point downwards, rules are pure, files are short (docs: design, section 4)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("kyc_portal", "cases", "resellers", "accounts")

LAYERS = (  # highest first; the package kyc_portal itself is matched exactly, because its __init__ loads the Celery app
    ("kyc_portal", "kyc_portal.settings", "kyc_portal.urls", "kyc_portal.celery", "kyc_portal.asgi", "kyc_portal.wsgi"),
    ("kyc_portal.demo",),
    ("kyc_portal.api",),
    ("kyc_portal.dashboard",),
    ("kyc_portal.regulator",),
    ("cases",),
    ("resellers",),
    ("accounts",),
    ("kyc_portal.staff",),
    ("kyc_portal.notices",),
    ("kyc_portal.policy",),
    ("kyc_portal.work",),
    ("kyc_portal.records",),
    ("kyc_portal.calendars", "kyc_portal.charsets", "kyc_portal.four_eyes"),
    ("kyc_portal.refusal",),
)

PARTS = (  # inside an app, highest first; apps.py stands above all of them
    ("apps",),
    ("admin", "tasks", "receivers", "views", "urls", "tiles", "management"),
    ("flows",),
    ("models",),
    ("rules", "formats"),
)
BESIDE = ("events", "verbs", "retention", "migrations", "templatetags")  # lists; of their own app they read the models
APPS = ("cases", "resellers", "accounts")

FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "manager", "data", "info", "process"}
MOST_LINES_IN_A_FILE = 400
MOST_LINES_IN_A_FUNCTION = 50


def product_files() -> list[Path]:
    return sorted(path for app in PRODUCT for path in (ROOT / app).rglob("*.py"))


def dotted(path: Path) -> str:
    """The module's name; a package's __init__ is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(name: str) -> int | None:
    """The number of the module's layer, 0 being the highest; None for what is not ours or has no place."""
    for number, packages in enumerate(LAYERS):
        for package in packages:
            is_inside = package != "kyc_portal" and name.startswith(package + ".")
            if name == package or is_inside:
                return number
    return None


def part(name: str) -> tuple[str, int] | None:
    """The app and the number of the part a module of cases, resellers or accounts belongs to."""
    app, _, rest = name.partition(".")
    first = rest.partition(".")[0]
    for number, parts in enumerate(PARTS):
        if app in APPS and first in parts:
            return app, number
    return None


def imports_of(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Every imported module with its statement; `from a import b` counts as a.b when that is one of our modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                is_module = any((ROOT / deeper.replace(".", "/")).with_suffix(end).exists() for end in ("", ".py"))
                yield (deeper if is_module else base), node


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def hidden_imports(tree: ast.Module, module: str) -> list[str]:
    """Imports inside functions, where they could point upwards unseen; AppConfig.ready has to hide its own."""
    allowed = set()
    if module.endswith(".apps"):
        allowed = {id(node) for ready in functions_of(tree) if ready.name == "ready" for node in ast.walk(ready)}
    inner = (node for function in functions_of(tree) for node in ast.walk(function))
    found = [node for node in inner if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in allowed]
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in found]


def faults_of_imports(module: str, tree: ast.AST) -> list[str]:
    """What this module imports against the order of layers and parts, as sentences."""
    own_layer, own_part, faults = layer(module), part(module), []
    for name, node in imports_of(tree):
        other_layer, other_part = layer(name), part(name)
        line = f"line {node.lineno}:"
        if name.startswith("."):
            faults.append(f"{line} {name} is a relative import")
        if name == "kyc_portal.urls" or name.startswith("kyc_portal.urls."):
            faults.append(f"{line} {module} must not import the table of addresses")
        if other_layer is not None and own_layer is not None and other_layer < own_layer:
            faults.append(f"{line} {module} must not import {name}, which lies higher")
        if own_part and other_part and own_part[0] == other_part[0] and other_part[1] < own_part[1]:
            faults.append(f"{line} {module} must not import {name}, a higher part of its app")
        if is_pure(module) and (name.startswith("django.db") or "models" in name.split(".")):
            faults.append(f"{line} {module} is pure and must not import {name}")
    return faults


def is_pure(module: str) -> bool:
    return bool({"rules", "formats"} & set(module.split(".")[:-1]))


def faults_of_length(text: str, tree: ast.AST) -> list[str]:
    """Files and functions that are too long to read at one go."""
    faults = []
    if (lines := len(text.splitlines())) > MOST_LINES_IN_A_FILE:
        faults.append(f"{lines} lines, {MOST_LINES_IN_A_FILE} are the limit")
    for function in functions_of(tree):
        if (lines := function.end_lineno - function.lineno + 1) > MOST_LINES_IN_A_FUNCTION:
            faults.append(f"line {function.lineno}: {function.name} has {lines} lines")
    return faults


def has_place(module: str) -> bool:
    """A layer, and inside the three apps a part as well."""
    app, _, rest = module.partition(".")
    if app not in APPS or not rest:
        return layer(module) is not None
    return part(module) is not None or rest.partition(".")[0] in BESIDE


@pytest.mark.parametrize("path", product_files(), ids=lambda path: str(path.relative_to(ROOT)))
class TestEveryModule:
    def test_it_has_a_place(self, path):
        module = dotted(path)

        assert has_place(module), f"{module} has no place in LAYERS and PARTS"
        assert not FORBIDDEN_NAMES & set(module.split(".")), f"{module} is named after nothing it does"

    def test_it_imports_downwards(self, path):
        faults = faults_of_imports(dotted(path), ast.parse(path.read_text()))

        assert not faults, "\n".join(faults)

    def test_it_hides_no_import(self, path):
        faults = hidden_imports(ast.parse(path.read_text()), dotted(path))

        assert not faults, "\n".join(faults)

    def test_it_is_short(self, path):
        text = path.read_text()

        faults = faults_of_length(text, ast.parse(text))

        assert not faults or "migrations" in path.parts, "\n".join(faults)  # those are written by a machine


class TestTheTestItself:
    """Every check above fails on a source that offends against it."""

    @pytest.mark.parametrize(
        ("module", "source"),
        [
            ("kyc_portal.records.audit", "from accounts.models import Account"),
            ("kyc_portal.policy.current", "from kyc_portal.notices import outbox"),
            ("kyc_portal.refusal", "import kyc_portal.calendars"),
            ("accounts.flows.intake", "from cases.flows import triage"),
            ("accounts.flows.intake", "import kyc_portal.celery"),
            ("accounts.models.party", "from accounts.flows import intake"),
            ("accounts.flows.intake", "from accounts.admin.account import AccountAdmin"),
            ("accounts.flows.intake", "import accounts.tasks"),
            ("accounts.rules.names", "from accounts.models import Party"),
            ("accounts.rules.names", "import accounts.models.party"),
            ("accounts.formats.bag", "from kyc_portal.records.models import AuditEvent"),
            ("cases.rules.stages", "from django.db import models"),
            ("cases.rules.stages", "def now():\n    from django.db.models import Q"),
            ("cases.views.queue", "from kyc_portal.urls import urlpatterns"),
            ("kyc_portal.demo.world", "from kyc_portal import urls"),
            ("accounts.flows.intake", "from . import links"),
        ],
    )
    def test_it_finds_a_forbidden_import(self, module, source):
        assert faults_of_imports(module, ast.parse(source))

    @pytest.mark.parametrize(
        ("module", "source"),
        [
            ("cases.flows.triage", "from accounts.models import Account"),
            ("accounts.admin.account", "from accounts.flows import intake"),
            ("accounts.rules.risk", "from kyc_portal.refusal import Refusal"),
            ("accounts.models.party", "from accounts.rules.parties import PartyKind"),
            ("accounts.formats.bag", "import json"),
            ("kyc_portal.celery", "from django.conf import settings"),
        ],
    )
    def test_it_lets_a_rightful_import_pass(self, module, source):
        assert faults_of_imports(module, ast.parse(source)) == []

    def test_it_finds_an_import_hidden_in_a_function(self):
        tree = ast.parse("class Config:\n    def ready(self):\n        import json\n")

        assert hidden_imports(tree, "accounts.flows.intake")
        assert not hidden_imports(tree, "accounts.apps")

    def test_it_finds_what_is_too_long(self):
        long_function = "def f():\n" + "    x = 1\n" * 50

        assert faults_of_length(long_function, ast.parse(long_function))
        assert faults_of_length("x = 1\n" * 401, ast.parse(""))
        assert not faults_of_length("def f():\n" + "    x = 1\n" * 49, ast.parse("def f():\n" + "    x = 1\n" * 49))

    @pytest.mark.parametrize("module", ["kyc_portal.misc", "accounts.stuff", "cases.helpers.text", "newapp.models"])
    def test_it_finds_a_module_without_a_place(self, module):
        assert not has_place(module)

    def test_it_reads_every_module_of_the_product(self):
        seen = {dotted(path) for path in product_files()}

        assert {"kyc_portal", "kyc_portal.records.audit", "accounts.models.party", "cases.rules.stages"} <= seen
