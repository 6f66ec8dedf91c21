"""Keys of the local world: made once with mode 0600, reused ever after."""

import base64
import json
import os
import secrets
from pathlib import Path


def _new_keys() -> dict[str, str]:
    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MASTER_KEY": f"local-1:{key()}",
        "FINGERPRINT_KEY": f"local-1:{key()}",
        "SIGNING_KEY": f"local-1:{key()}",
        "AUDIT_KEY": f"local-1:{key()}",
        "VERIFIER_SECRET": f"whsec_{key()}",
    }


def local_keys(folder: Path) -> dict[str, str]:
    """Read `folder/keys.json`, made first if it is missing; two processes that start at once agree on one file."""
    path = folder / "keys.json"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = folder / f"keys.{os.getpid()}.json"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(_new_keys(), file, indent=2)
        try:
            os.link(draft, path)  # fails when another process was first: its keys stand
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _completed(path)


def _completed(path: Path) -> dict[str, str]:
    """The keys of the file; what an older version did not make yet is added."""
    keys = json.loads(path.read_text())
    new = _new_keys()
    if new.keys() <= keys.keys():
        return keys
    draft = path.with_name(f"keys.{os.getpid()}.json")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({**new, **keys}, file, indent=2)
    draft.replace(path)
    return json.loads(path.read_text())
