"""The one link of the demo that a visitor may open. The portal keeps only its hash, so it lies in a file beside it."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from accounts.flows.customer_links import hashed, is_asked
from accounts.models import Account, CustomerLink
from kyc_portal.notices.outbox import notices_about


def _file() -> Path:
    return Path(settings.LOCAL_DIR) / "samples" / "customer-link.txt"


def keep(account: Account) -> None:
    """Note the link in the notice that waits to be sent; afterwards nobody could read it."""
    notice = notices_about(account).filter(kind="data_requested").first()
    _file().write_text(urlsplit(json.loads(notice.context.reveal())["link"]).path, encoding="utf-8")
    _file().chmod(0o600)


def path() -> str:
    """The link's address below the portal's own; "" when it opens nothing any more."""
    if not _file().exists():
        return ""
    found = _file().read_text(encoding="utf-8").strip()
    token = found.rstrip("/").rpartition("/")[2]
    link = CustomerLink.objects.select_related("account").filter(token_sha256=hashed(token), used_at=None).first()
    return found if link is not None and is_asked(link) and link.expires_at > timezone.now() else ""
