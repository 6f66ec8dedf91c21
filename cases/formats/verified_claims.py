"""How identities were verified, as OpenID identity-assurance `verified_claims` (requirements R33, R114).

One object for each verification that ended well: `sub` is the party's reference, `verified_claims` holds `verification`
(trust framework, process, evidence) and the `claims` that were verified. The trust framework is a name of our own: the
customer identification programme of 15 CFR part 7, which is proposed only.
"""

from collections.abc import Iterator, Mapping

from cases.formats.exchange import Row, Tables, filled, seen, seen_country, seen_date

TRUST_FRAMEWORK = "us_iaas_cip_proposed"


def claims_sets(tables: Tables, *, provider: str, documentary: frozenset[str]) -> Iterator[dict]:
    """One claims set a verification; `documentary` are the codes of methods that examine a document."""
    people = {str(row["party"]): row for row in tables.get("identities", ())}
    documents = {str(row["document"]): row for row in tables.get("documents", ())}
    for row in tables.get("verifications", ()):
        if row["status"] != "verified" or not row["concluded_at"]:
            continue
        claims = _claims(people.get(str(row["party"])), tables, str(row["party"]))
        methods = [each for each in tables.get("methods", ()) if each["verification"] == row["verification"]]
        evidence = [_evidence(each, documents, provider, documentary) for each in methods if each["result"] == "match"]
        if claims:
            verification = {
                "trust_framework": TRUST_FRAMEWORK, "assurance_process": {"policy": str(row["cip"])},
                "time": str(_time(row["concluded_at"])), "verification_process": str(row["verification"]),
                "evidence": evidence,
            }  # fmt: skip
            body = {"verification": filled(verification.items()), "claims": claims}
            yield {"sub": str(row["party"]), "verified_claims": body}


def _time(value: object) -> str:
    return f"{seen(value)[:19]}Z" if seen(value) else ""


def _claims(person: Row | None, tables: Tables, party: str) -> dict:
    if person is None:
        return {}
    addresses = [row for row in tables.get("addresses", ()) if row["party"] == party and seen(row["lines"])]
    found = {"name": seen(person["legal_name"])}
    if person["kind"] == "individual":
        country = seen_country(person["citizenship"])
        found |= {"birthdate": seen_date(person["birth_date"]), "nationalities": [country] if country else []}
    else:
        found |= {
            "registration_number": seen(person["registration_number"]),
            "country_of_formation": seen_country(person["formation_country"]),
        }
    if addresses:
        own = addresses[0]
        pairs = {
            "formatted": seen(own["lines"]), "region": seen(own["region"]), "country": seen_country(own["country"])
        }  # fmt: skip
        found["address"] = filled(pairs.items())
    return filled(found.items())


def _evidence(method: Row, documents: Mapping[str, Row], provider: str, documentary: frozenset[str]) -> dict:
    check = {
        "check_method": "vri" if method["method"] in documentary else "data", "organization": provider,
        "time": _time(method["at"]),
    }  # fmt: skip
    paper = documents.get(str(method["document"]))
    if method["method"] not in documentary:
        source = filled([("name", seen(method["source"]))])
        record = filled([("type", str(method["method"])), ("source", source)])
        return {"type": "electronic_record", "check_details": [filled(check.items())], "record": record}
    details = {"type": str(method["method"])} if paper is None else _details(paper)
    return {"type": "document", "check_details": [filled(check.items())], "document_details": details}


def _details(paper: Row) -> dict:
    pairs = {
        "type": seen(paper["kind"]), "document_number": seen(paper["number"]),
        "date_of_issuance": seen_date(paper["issued_on"]), "date_of_expiry": seen_date(paper["expires_on"]),
        "issuer": filled([("country_code", seen_country(paper["country"])), ("name", seen(paper["place_of_issue"]))]),
    }  # fmt: skip
    return filled(pairs.items())
