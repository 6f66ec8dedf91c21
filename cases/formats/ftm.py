"""Parties, accounts, owners and papers of a bundle as FollowTheMoney entities, one JSON document a line (R114).

The schemata and properties are those of FollowTheMoney 4: Person, Company, UserAccount, Ownership, Passport,
Identification, Address and BankAccount. Ids are the references that stand in the other files of the bundle.
"""

from collections.abc import Iterator

from cases.formats.exchange import Row, Tables, seen, seen_country, seen_date

TABLES = ("customers", "identities", "names", "contacts", "owners", "documents", "addresses", "payments")
SCHEMATA = {"individual": "Person", "entity": "Company"}
NAME_PROPERTIES = {"alias": "alias", "trade": "alias", "former": "previousName", "script": "name"}
CONTACT_PROPERTIES = {"email": "email", "phone": "phone"}


class _Entity:
    """One entity while it is gathered from several tables."""

    def __init__(self, key: str, schema: str):
        self.key, self.schema = key, schema
        self.properties: dict[str, list[str]] = {}

    def add(self, name: str, value: str) -> None:
        if value and value not in self.properties.setdefault(name, []):
            self.properties[name].append(value)

    def document(self) -> dict:
        properties = {name: values for name, values in sorted(self.properties.items()) if values}
        return {"id": self.key, "schema": self.schema, "properties": properties}


def entities(tables: Tables) -> Iterator[dict]:
    """Entities from the tables of a bundle (name to rows), in a steady order; each id stands once."""
    parties = _parties(tables)
    yield from (party.document() for party in parties.values())
    for make in (_accounts, _stakes, _papers, _addresses, _bank_accounts):
        yield from (entity.document() for entity in make(tables, parties))


def _parties(tables: Tables) -> dict[str, _Entity]:
    found: dict[str, _Entity] = {}
    for row in (*tables.get("customers", ()), *tables.get("identities", ())):
        key = str(row["party"])
        party = found.setdefault(key, _Entity(key, SCHEMATA.get(str(row["kind"]), "LegalEntity")))
        party.add("name", seen(row["legal_name"]))
    for row in tables.get("identities", ()):
        _identify(found[str(row["party"])], row)
    for row in tables.get("owners", ()):
        for role in ("owner", "owned"):
            key = str(row[role])
            party = found.setdefault(key, _Entity(key, "LegalEntity" if role == "owner" else "Company"))
            party.add("name", seen(row[f"{role}_name"]))
            if role == "owned" and party.schema == "LegalEntity":
                party.schema = "Company"  # in FollowTheMoney only an asset can be owned
    for table, kinds, value in (("names", NAME_PROPERTIES, "name"), ("contacts", CONTACT_PROPERTIES, "value")):
        for row in tables.get(table, ()):
            if (party := found.get(str(row["party"]))) and row["kind"] in kinds:
                party.add(kinds[str(row["kind"])], seen(row[value]))
    return found


def _identify(party: _Entity, row: Row) -> None:
    if party.schema == "Person":
        party.add("birthDate", seen_date(row["birth_date"]))
        party.add("citizenship", seen_country(row["citizenship"]).lower())
        party.add("idNumber", seen(row["national_id"]))
    else:
        party.add("jurisdiction", seen_country(row["formation_country"]).lower())
        party.add("registrationNumber", seen(row["registration_number"]))


def _accounts(tables: Tables, parties: dict[str, _Entity]) -> Iterator[_Entity]:
    for row in tables.get("customers", ()):
        account = _Entity(str(row["account"]), "UserAccount")
        account.add("owner", str(row["party"]))
        account.add("username", seen(row["external_key"]) or str(row["account"]))
        account.add("service", seen(row["product"]))
        account.add("createdAt", seen_date(row["created_at"]))
        yield account


def _stakes(tables: Tables, parties: dict[str, _Entity]) -> Iterator[_Entity]:
    for number, row in enumerate(tables.get("owners", ()), start=1):
        stake = _Entity(f"{row['owner']}-in-{row['owned']}-{number}", "Ownership")
        stake.add("owner", str(row["owner"]))
        stake.add("asset", str(row["owned"]))
        stake.add("percentage", seen(row["percent"]))
        stake.add("role", "control" if row["has_control"] else "")
        stake.add("startDate", seen_date(row["from_on"]))
        stake.add("endDate", seen_date(row["to_on"]))
        yield stake


def _papers(tables: Tables, parties: dict[str, _Entity]) -> Iterator[_Entity]:
    for row in tables.get("documents", ()):
        paper = _Entity(str(row["document"]), "Passport" if row["kind"] == "passport" else "Identification")
        paper.add("holder", str(row["party"]) if str(row["party"]) in parties else "")
        paper.add("type", seen(row["kind"]))
        paper.add("number", seen(row["number"]))
        paper.add("country", seen_country(row["country"]).lower())
        paper.add("authority", seen(row["place_of_issue"]))
        paper.add("startDate", seen_date(row["issued_on"]))
        paper.add("endDate", seen_date(row["expires_on"]))
        yield paper


def _addresses(tables: Tables, parties: dict[str, _Entity]) -> Iterator[_Entity]:
    for number, row in enumerate(tables.get("addresses", ()), start=1):
        address = _Entity(f"{row['party']}-address-{number}", "Address")
        address.add("full", ", ".join(seen(row["lines"]).splitlines()))
        address.add("region", seen(row["region"]))
        address.add("country", seen_country(row["country"]).lower())
        address.add("remarks", seen(row["kind"]))
        yield address


def _bank_accounts(tables: Tables, parties: dict[str, _Entity]) -> Iterator[_Entity]:
    rows = [row for row in tables.get("payments", ()) if row["kind"] == "bank"]
    for number, row in enumerate(rows, start=1):
        account = _Entity(f"{row['party']}-bank-{number}", "BankAccount")
        account.add("accountNumber", seen(row["identifier"]))
        account.add("bankName", seen(row["institution"]))
        account.add("country", seen_country(row["country"]).lower())
        account.add("openingDate", seen_date(row["added_at"]))
        yield account
