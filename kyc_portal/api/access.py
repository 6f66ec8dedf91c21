"""May this account use this product now? What a provisioning system asks (docs/access-answer.md)."""

import hashlib
import json
import re
from datetime import datetime

from django.utils.http import parse_etags

from accounts.flows.access_answer import Told, answer_for
from accounts.formats.text import shown
from accounts.models import Account
from kyc_portal.api.endpoints import endpoint, parameters
from kyc_portal.api.problems import Problem
from kyc_portal.policy.models import Standing

CONTRACT = 1  # the number of the contract in docs/access-answer.md
REFERENCE = re.compile(r"ACC(-[0-9A-Z]{4}){2}")
PRODUCT = re.compile(r"[a-z][a-z0-9-]{0,39}")


@endpoint("GET", scope="access.read")
def answer(request, key, at, reference):
    """Allow, limit or deny, with codes, basis and how long it may be kept; 304 when the caller has it already."""
    product = parameters(request, {"product"}).get("product", "")
    if not PRODUCT.fullmatch(product):
        raise Problem(400, f"Name the product as ?product=CODE, in small letters; “{shown(product)}” is none.")
    rows = Account.objects.visible_to(key.owner)
    told = answer_for(rows, reference=reference, product=product, at=at) if REFERENCE.fullmatch(reference) else None
    if told is None:
        raise Problem(404, "No account has this reference.")
    if not told.catalogue:
        raise Problem(400, f"No product {product} is in the catalogue. Ask compliance which code it has.")

    body = body_of(told)
    tag = f'W/"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'
    seconds = seconds_left(told, at)
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={seconds}", "Vary": "Authorization"}
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if tag in known or "*" in known:
        return 304, {}, headers
    return 200, body | {"as_of": at.isoformat(), "cache_seconds": seconds}, headers


def seconds_left(told: Told, at: datetime) -> int:
    """For how many seconds the answer may be kept: as the policy says, and never past the moment that changes it."""
    until = told.decided.valid_until
    return told.seconds if until is None else max(0, min(told.seconds, int((until - at).total_seconds())))


def body_of(told: Told) -> dict:
    """The answer without its moment, in the order of docs/access-answer.md."""
    decided, entry = told.decided, told.catalogue
    return {
        "contract": CONTRACT,
        "account": told.account,
        "product": told.product,
        "answer": decided.answer.value,
        "may_start": decided.may_start,
        "may_use": decided.may_use,
        "codes": list(decided.codes),
        "basis": [
            {
                "reference": ground.reference,
                "level": ground.level,
                "code": ground.code,
                "words": ground.words,
                "since": ground.since.isoformat(),
                "until": ground.until.isoformat() if ground.until else None,
            }
            for ground in decided.basis
        ],
        "catalogue": {
            "reference": entry["reference"],
            "is_iaas": bool(entry["is_iaas"]),
            "citation": f"{entry['citation']} ({Standing(entry['standing']).label})",
        },
        "number": told.number,
        "valid_until": decided.valid_until.isoformat() if decided.valid_until else None,
    }
