"""The verifier that lies in each bundle: one file that needs Python 3.9 or newer and nothing else (requirement R114).

It is put together from the modules the portal itself reads bundles with, so that both cannot but say the same.
`python -m accounts.formats.bag_verifier > verify_bundle.py` writes it, for a provider who publishes it.
"""

import ast
import sys
from functools import cache
from pathlib import Path

PARTS = ("ed25519", "bag_layout", "bag_reading")
ABOUT = '''#!/usr/bin/env python3
"""Say whether this evidence bundle is whole. Python 3.9 or newer; no packages, no network, nothing is written.

    python3 verify_bundle.py --keys KEYS.json --witness DIGEST [BUNDLE]

Exit code: 0 whole, 1 tampered (the first file is named), 2 unreadable, 3 whole but its key is unknown, 4 whole but no
witness was given though --ask-witness asked for one. KEYS.json maps key ids to public keys in hexadecimal. The keys,
the digest (the SHA-256 of tagmanifest-sha256.txt) and, if you are careful, this file should have come to you by another
way than the bundle: whoever exchanged the bundle may have exchanged what lies in it.
"""
'''


@cache
def verifier() -> bytes:
    """The file, in UTF-8; the same bytes each time."""
    imports, parts = {"from __future__ import annotations"}, []
    for name in PARTS:
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        found, rest = _split(text)
        imports |= found
        parts.append(f"# --- {name} ---\n\n{rest.strip()}\n")
    ordered = sorted(imports, key=lambda line: ("__future__" not in line, line))
    return "\n\n".join([ABOUT + "\n" + "\n".join(ordered) + "\n", *parts]).encode()


def _split(text: str) -> tuple[set[str], str]:
    """The imports of the standard library, and the module without its docstring and its imports."""
    imports, lines = set(), text.splitlines()
    for number, node in enumerate(ast.parse(text).body):
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import and not (getattr(node, "module", None) or "").startswith("accounts."):
            imports.add(ast.unparse(node))
        if is_import or (number == 0 and isinstance(node, ast.Expr)):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return imports, "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.buffer.write(verifier())
