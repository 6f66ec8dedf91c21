"""Sanctions lists in XML: OFAC's legacy schema (sdn.xml, consolidated.xml) and the UN's consolidated list (R35).

Read as a stream, each entry freed once it is read. A document type, and so every entity of its own making, is
refused: defusedxml parses, the standard library lends two names.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError  # nosec B405

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from accounts.formats.list_files import ListFile, file_sha256, refuse_repeated
from accounts.formats.ofac import KINDS, ListEntry, ListFormatError
from accounts.formats.ofac_remarks import read_remarks
from accounts.formats.text import shown

OFAC_ROOT, UN_ROOT = "sdnList", "CONSOLIDATED_LIST"
OFAC_ENTRY, UN_ENTRIES = "sdnEntry", ("INDIVIDUAL", "ENTITY")
WALLET = re.compile(r"Digital Currency Address - ([A-Z0-9]{2,10})\Z")
SEPARATE = {"Email Address": "emails", "Website": "websites", "Gender": "genders"}


def read_ofac_xml(path: Path) -> ListFile:
    """Read sdn.xml or consolidated.xml; ListFormatError when damaged, cut off, or short of the count it states."""
    stated: list[str] = []
    entries = list(_entries(path, OFAC_ROOT, (OFAC_ENTRY,), _ofac_entry, stated))
    if stated and stated[0] != str(len(entries)):
        raise ListFormatError(
            f"{shown(path.name)} holds {len(entries):,} entries and says it has {shown(stated[0])}. Fetch the list "
            "again."
        )
    return ListFile(tuple(entries), file_sha256(path))


def read_un_xml(path: Path) -> ListFile:
    """Read the consolidated list of the UN Security Council; ListFormatError when damaged or cut off."""
    return ListFile(tuple(_entries(path, UN_ROOT, UN_ENTRIES, _un_entry, [])), file_sha256(path))


def _entries(
    path: Path, root_name: str, tags: tuple[str, ...], build: Callable[[Element], ListEntry], stated: list[str]
) -> Iterator[ListEntry]:
    seen: set[str] = set()
    parents: list[Element] = []
    try:
        for event, element in iterparse(path, events=("start", "end"), forbid_dtd=True):
            element.tag = element.tag.rpartition("}")[2]
            if event == "start":
                if not parents and element.tag != root_name:
                    raise ListFormatError(
                        f"{shown(path.name)} begins with <{shown(element.tag)}>, not <{root_name}>. Check the kind "
                        "of list."
                    )
                parents.append(element)
                continue
            parents.pop()
            if element.tag == "Record_Count":
                stated.append((element.text or "").strip())
            if element.tag in tags:
                entry = build(element)
                refuse_repeated(path.name, entry, seen)
                yield entry
                parents[-1].remove(element)
    except ParseError as error:
        line = error.position[0]
        raise ListFormatError(
            f"{shown(path.name)}, line {line}: is not whole XML, the file may be cut off. Fetch the list again."
        ) from error
    except DefusedXmlException as error:
        raise ListFormatError(
            f"{shown(path.name)} declares a document type or entities, which no list has. Fetch the list again."
        ) from error
    except (OSError, LookupError, UnicodeError) as error:
        raise ListFormatError(f"{shown(path.name)} cannot be read. Fetch the list again.") from error
    if not seen:
        raise ListFormatError(f"{shown(path.name)} holds no entries. Fetch the list again.")


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _texts(element: Element, path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in element.findall(path) if (text := (each.text or "").strip())))


def _joined(element: Element, *names: str, by: str = " ") -> str:
    return by.join(text for name in names if (text := _text(element, name)))


def _ofac_entry(element: Element) -> ListEntry:
    uid, kind = _text(element, "uid"), _text(element, "sdnType").lower()
    kind = KINDS.get("" if kind == "entity" else kind, "")
    if not kind:
        raise ListFormatError(f"Entry {shown(uid)} has an unknown type. Check the schema of the file.")
    remarks = _text(element, "remarks")
    found = read_remarks(remarks)
    several = {"emails": [*found.emails], "websites": [*found.websites], "genders": [*found.genders]}
    numbers, wallets = [*found.identifiers], [*found.wallets]
    for each in element.findall("idList/id"):
        what, number = _text(each, "idType"), _text(each, "idNumber")
        if wallet := WALLET.match(what):
            wallets.append((wallet[1], number))
        elif what in SEPARATE:
            several[SEPARATE[what]].append(number)
        elif number:
            numbers.append((what, number, _text(each, "idCountry")))
    if call_sign := _text(element, "vesselInfo/callSign"):
        numbers.append(("Call Sign", call_sign, ""))
    aliases = [(_joined(aka, "lastName", "firstName", by=", "), _ofac_alias_kind(aka)) for aka in element.iter("aka")]
    births = (*found.birth_dates, *_texts(element, "dateOfBirthList/dateOfBirthItem/dateOfBirth"))
    nations = (*_texts(element, "nationalityList/nationality/country"),
               *_texts(element, "citizenshipList/citizenship/country"))  # fmt: skip
    return ListEntry(
        uid=uid,
        name=_joined(element, "lastName", "firstName", by=", "),
        kind=kind,
        programmes=_texts(element, "programList/program"),
        title=_text(element, "title"),
        remarks=remarks,
        aliases=tuple(dict.fromkeys([*((name, what) for name, what in aliases if name), *found.nicknames])),
        addresses=tuple(filter(any, map(_ofac_address, element.findall("addressList/address")))),
        birth_dates=tuple(dict.fromkeys(births)),
        nationalities=tuple(dict.fromkeys([*found.nationalities, *nations])),
        identifiers=tuple(dict.fromkeys(numbers)),
        wallets=tuple(dict.fromkeys(wallets)),
        **{name: tuple(dict.fromkeys(values)) for name, values in several.items()},
    )


def _ofac_alias_kind(aka: Element) -> str:
    kind = _text(aka, "type").replace(".", "") or "aka"
    return f"weak {kind}" if _text(aka, "category") == "weak" else kind


def _ofac_address(each: Element) -> tuple[str, str, str]:
    street = _joined(each, "address1", "address2", "address3", by=", ")
    return street, _joined(each, "city", "stateOrProvince", "postalCode"), _text(each, "country")


def _un_entry(element: Element) -> ListEntry:
    one = element.tag
    alias = [(_text(each, "ALIAS_NAME"), _text(each, "QUALITY") or "aka") for each in element.findall(f"{one}_ALIAS")]
    if original := _text(element, "NAME_ORIGINAL_SCRIPT"):
        alias.append((original, "original script"))
    numbers = [
        (_text(each, "TYPE_OF_DOCUMENT") or "Number", _text(each, "NUMBER"), _text(each, "ISSUING_COUNTRY"))
        for each in element.findall(f"{one}_DOCUMENT")
    ]
    places = [
        (_text(each, "STREET"), _joined(each, "CITY", "STATE_PROVINCE", "ZIP_CODE"), _text(each, "COUNTRY"))
        for each in element.findall(f"{one}_ADDRESS")
    ]
    births = [_un_birth(each) for each in element.findall(f"{one}_DATE_OF_BIRTH")]
    return ListEntry(
        uid=_text(element, "DATAID"),
        name=_joined(element, "FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"),
        kind="individual" if one == "INDIVIDUAL" else "entity",
        programmes=_texts(element, "UN_LIST_TYPE"),
        title="; ".join(_texts(element, "DESIGNATION/VALUE")),
        remarks=_text(element, "COMMENTS1"),
        aliases=tuple(dict.fromkeys((name, kind) for name, kind in alias if name)),
        addresses=tuple(filter(any, places)),
        birth_dates=tuple(dict.fromkeys(filter(None, births))),
        nationalities=_texts(element, "NATIONALITY/VALUE"),
        identifiers=tuple(dict.fromkeys(each for each in numbers if each[1])),
    )


def _un_birth(each: Element) -> str:
    if day := _text(each, "DATE"):
        return day[:10]
    return _text(each, "YEAR") or _joined(each, "FROM_YEAR", "TO_YEAR", by=" to ")
