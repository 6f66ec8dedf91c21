"""Tables of a bundle as its recipient may see them: a person and a company, in full and as a court sees them."""

from datetime import UTC, date, datetime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def tables(**changes) -> dict[str, list[dict]]:
    return {
        "customers": [
            {"account": "ACC-1", "party": "PTY-1", "kind": "entity", "legal_name": "Öl & Söhne 株式会社",
             "status": "active", "product": "compute", "external_key": "c-77", "created_at": NOON},
        ],
        "identities": [
            {"party": "PTY-1", "kind": "entity", "legal_name": "Öl & Söhne 株式会社", "birth_date": "",
             "citizenship": "", "formation_country": "DE", "registration_number": "HRB 77", "national_id": "",
             "us_status": "foreign"},
            {"party": "PTY-2", "kind": "individual", "legal_name": "Maria Silence", "birth_date": "1981-05-09",
             "citizenship": "FR", "formation_country": "", "registration_number": "", "national_id": "1810575056001",
             "us_status": "foreign"},
        ],
        "names": [
            {"party": "PTY-1", "kind": "trade", "name": "OilSons"}, {"party": "PTY-1", "kind": "former", "name": "Oil"},
        ],
        "addresses": [
            {"party": "PTY-2", "kind": "residence", "lines": "1 Rue X\n75001 Paris", "region": "", "country": "FR"},
        ],
        "contacts": [
            {"party": "PTY-1", "kind": "email", "value": "a@b.example", "confirmed_at": None},
            {"party": "PTY-1", "kind": "phone", "value": "+4930901820", "confirmed_at": None},
        ],
        "documents": [
            {"document": "DOC-1", "party": "PTY-2", "kind": "passport", "number": "X1234567Z", "country": "FR",
             "place_of_issue": "", "issued_on": date(2020, 1, 2), "expires_on": date(2030, 1, 2)},
        ],
        "owners": [
            {"owner": "PTY-2", "owner_name": "Maria Silence", "owned": "PTY-1", "owned_name": "Öl & Söhne 株式会社",
             "percent": "60.00", "has_control": True, "from_on": date(2020, 1, 1), "to_on": None},
            {"owner": "PTY-3", "owner_name": "Somebody", "owned": "PTY-1", "owned_name": "", "percent": "40",
             "has_control": False, "from_on": None, "to_on": None},
        ],
        "payments": [
            {"party": "PTY-1", "kind": "bank", "institution": "Sparkasse", "identifier": "DE89370400440532013000",
             "country": "DE", "added_at": NOON},
        ],
        "verifications": [
            {"verification": "VER-1", "party": "PTY-2", "status": "verified", "cip": "CIP-1", "concluded_at": NOON},
            {"verification": "VER-2", "party": "PTY-1", "status": "in_progress", "cip": "CIP-1", "concluded_at": None},
        ],
        "methods": [
            {"verification": "VER-1", "method": "photo_document", "result": "match", "source": "passport",
             "document": "DOC-1", "at": NOON},
            {"verification": "VER-1", "method": "public_database", "result": "match", "source": "Register of X",
             "document": "", "at": NOON},
            {"verification": "VER-1", "method": "references", "result": "no_match", "source": "Bank Y",
             "document": "", "at": NOON},
        ],
        "signals": [
            {"signal": "SIG-1", "account": "ACC-1", "code": "anonymiser", "sentence": "Used through a VPN."},
            {"signal": "SIG-2", "account": "ACC-1", "code": "[redacted S1]", "sentence": "[redacted S1]"},
        ],
    } | changes  # fmt: skip


def for_a_court() -> dict[str, list[dict]]:
    """The same, shortened as court rules ask, with another person's details blacked out."""
    told = tables()
    told["identities"][1] |= {
        "legal_name": "[redacted P2]", "birth_date": "1981 [redacted P1]", "national_id": "…6001 [redacted P1]",
        "citizenship": "[redacted P2]",
    }  # fmt: skip
    told["documents"][0]["number"] = "…567Z [redacted P1]"
    told["owners"][0]["owner_name"] = "[redacted P2]"
    told["payments"][0]["identifier"] = "…3000 [redacted P1]"
    return told
