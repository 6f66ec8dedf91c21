"""Check an exported audit trail without the portal: this one file, Python 3.11 and the package `cryptography`.

    python verify_audit.py EXPORT.jsonl --keys KEYS.json --witness FILE [--witness FILE …]

No network, no database. Exit code: 0 whole, 1 tampered (the first record is named), 2 unreadable, 3 a signing key is
unknown, 4 whole but no witness was given. KEYS.json maps key ids to public keys in hexadecimal and must have come by
another way than the export. A witness is a log file or a mailbox (mbox) with the checkpoints that were handed out.

Entry N is the leaf N - 1 of a tree as in RFC 6962; a checkpoint of size N speaks for the entries 1 to N.
"""

import argparse
import base64
import hashlib
import json
import mailbox
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WHOLE, TAMPERED, UNREADABLE, KEY_UNKNOWN, NO_WITNESS = range(5)
FORMAT = "kyc audit trail 1"
ORIGIN = "kyc-portal/audit"
VERSION, COLUMNS = b"\x01", 15
ID, VERB, FACTS, PII_COMMIT = 0, 1, 12, 14  # places among the columns
PURGED, KEY_NAMED = "records.purged", "records.audit_key_named"
NOTE = re.compile(
    rf"^{re.escape(ORIGIN)}\n(0|[1-9][0-9]{{0,17}})\n([A-Za-z0-9+/]{{43}}=)\n\n— ([^\s+]+) ([A-Za-z0-9+/]+=*)\n", re.M
)
PAYLOAD_FAULTS = {
    "missing": "its sealed payload is gone and no purge says so",
    "altered": "its sealed payload does not fit what the event committed to",
    "returned": "its sealed payload was destroyed by a purge and is there again",
    "foreign": "a sealed payload stands beside it that it does not speak of",
}


class Fault(Exception):
    """Why the trail is not whole: its arguments are an exit code and a sentence."""


class Entry(NamedTuple):
    """An event with its place in the tree (None while it is unsealed).

    `columns` are the bytes the stored columns spell, given only when they differ from `canonical`; `payload` is "",
    "kept", "destroyed" (then `purge` is the id of the event that says so), "sealed away" (the master key is not at
    hand) or one of PAYLOAD_FAULTS; `destroyed` lists, for a purge, the ids of the events whose payloads it destroyed.
    """

    index: int | None
    event_id: str
    leaf: bytes = b""
    canonical: bytes | None = None
    columns: bytes | None = None
    payload: str = ""
    purge: str = ""
    destroyed: tuple[str, ...] = ()


class Checkpoint(NamedTuple):
    """A signed note with its number and the right edge of its tree, as they are stored."""

    number: int
    size: int
    edge: bytes
    note: str


class Verdict(NamedTuple):
    """The exit code, the sentence, and how many entries are sealed."""

    code: int
    sentence: str
    sealed: int = 0


def columns_of(canonical: bytes) -> list[str]:
    """The columns inside canonical bytes; raises ValueError when they are not of that form."""
    found, place = [], 1
    for _ in range(COLUMNS):
        start = place + 4
        place = start + int.from_bytes(canonical[place:start], "big")
        found.append(canonical[start:place].decode())
    if canonical[:1] != VERSION or place != len(canonical):
        raise ValueError("no canonical bytes of an event")
    return found


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def signer_of(note: re.Match, keys: Mapping[str, bytes]) -> str | None:
    """The id of the key that signed; None when no such key is known, "" when the signature does not fit it."""
    key_id, text = note[3], note[0].split("\n\n")[0] + "\n"
    if key_id not in keys:
        return None
    named = hashlib.sha256(key_id.encode() + b"\n\x01" + keys[key_id]).digest()[:4]
    try:
        signature = base64.b64decode(note[4], validate=True)
        Ed25519PublicKey.from_public_bytes(keys[key_id]).verify(signature[4:], text.encode())
    except (ValueError, InvalidSignature):
        return ""
    return key_id if signature[:4] == named else ""


@dataclass
class Judge:
    """Takes entries and checkpoints in their order and raises a Fault at the first that is wrong."""

    keys: dict[str, bytes]  # trusted, and in time the successors they name
    size: int = 0
    edge: list[bytes] = field(default_factory=list)
    checkpointed: int = 0
    number: int = 0
    previous: str = ""
    unsealed: int = 0
    kept: int = 0
    destroyed: int = 0
    unknown: str = ""  # about the first checkpoint whose key is unknown
    claims: dict[str, list] = field(default_factory=dict)  # purge: how many payloads, sum of their ids, first entry
    purges: dict[str, tuple] = field(default_factory=dict)  # purge: how many payloads, sum of their ids
    named: dict[str, bytes] = field(default_factory=dict)  # keys named by events that are not under a checkpoint yet
    successor_to: dict[str, str] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)

    def take(self, item: Entry | Checkpoint | str) -> None:
        """The next item; a text is something the portal found wrong that no entry shows."""
        if isinstance(item, Entry):
            self._take_entry(item)
        elif isinstance(item, Checkpoint):
            self._take_checkpoint(item)
        else:
            raise Fault(TAMPERED, item)

    def _take_entry(self, entry: Entry) -> None:
        is_sealed = entry.index is not None
        if is_sealed and entry.index != self.size:
            raise Fault(TAMPERED, f"Entry {self.size + 1} is not in its place: it was removed or reordered.")
        name = f"Entry {self.size + 1}" if is_sealed else "An unsealed entry"
        name = f"{name} (event {entry.event_id})"
        if entry.canonical is None:
            raise Fault(TAMPERED, f"{name}: its event was removed.")
        if entry.columns is not None:
            raise Fault(TAMPERED, f"{name} was edited: its columns do not say what its canonical bytes say.")
        try:
            columns = columns_of(entry.canonical)
        except ValueError:
            raise Fault(TAMPERED, f"{name} was edited: its canonical bytes are none.") from None
        if columns[ID] != entry.event_id:
            raise Fault(TAMPERED, f"{name} was exchanged for the event {columns[ID][:40]}.")
        if is_sealed:
            self._add_leaf(name, entry)
        else:
            self.unsealed += 1
        self._judge_payload(name, entry, columns)
        if columns[VERB] in (PURGED, KEY_NAMED):
            self._note_act(name, entry, columns)

    def _add_leaf(self, name: str, entry: Entry) -> None:
        leaf = hashlib.sha256(b"\x00" + entry.canonical).digest()
        if leaf != entry.leaf:
            raise Fault(TAMPERED, f"{name} was edited: it is not what was sealed.")
        if entry.event_id <= self.previous:
            raise Fault(TAMPERED, f"{name} stands out of order: entries were reordered.")
        self.previous, number = entry.event_id, self.size
        while number & 1:
            leaf = node(self.edge.pop(), leaf)
            number >>= 1
        self.edge.append(leaf)
        self.size += 1

    def _judge_payload(self, name: str, entry: Entry, columns: list[str]) -> None:
        state, is_committed = entry.payload, bool(columns[PII_COMMIT])
        if state == "sealed away":
            raise Fault(UNREADABLE, f"{name}: the master key that opens its payload is not at hand.")
        if state in ("kept", "destroyed") and not is_committed:
            state = "foreign"
        if not state and is_committed:
            state = "missing"
        if state in PAYLOAD_FAULTS:
            raise Fault(TAMPERED, f"{name}: {PAYLOAD_FAULTS[state]}.")
        if state == "kept":
            self.kept += 1
        elif state == "destroyed":
            self.destroyed += 1
            claim = self.claims.setdefault(entry.purge, [0, 0, name])
            claim[0], claim[1] = claim[0] + 1, claim[1] + _weight(entry.event_id)
        elif state:
            raise Fault(UNREADABLE, f"{name}: its payload has an unknown state.")

    def _note_act(self, name: str, entry: Entry, columns: list[str]) -> None:
        facts = json.loads(columns[FACTS])
        if columns[VERB] == KEY_NAMED:
            self.named[str(facts.get("key_id"))] = bytes.fromhex(str(facts.get("public_key")))
            return
        listed = entry.destroyed
        digest = hashlib.sha256(json.dumps(sorted(listed)).encode()).hexdigest()
        if facts.get("payloads", 0) != len(listed) or (listed and facts.get("destroyed") != digest):
            raise Fault(TAMPERED, f"{name}: the list of payloads this purge destroyed was changed.")
        if listed:
            self.purges[entry.event_id] = (len(listed), sum(map(_weight, listed)))

    def _take_checkpoint(self, checkpoint: Checkpoint) -> None:
        name = f"The checkpoint of size {checkpoint.size}"
        if checkpoint.number != self.number + 1:
            raise Fault(TAMPERED, f"A checkpoint before the one of size {checkpoint.size} was removed.")
        note = NOTE.fullmatch(checkpoint.note)
        if note is None or int(note[1]) != checkpoint.size:
            raise Fault(TAMPERED, f"{name} was edited.")
        if checkpoint.size > self.size:
            raise Fault(TAMPERED, f"Entry {self.size + 1} is missing: the trail was cut off before it.")
        if checkpoint.size != self.size or checkpoint.size <= self.checkpointed:
            raise Fault(TAMPERED, f"{name} stands out of order.")
        signer = signer_of(note, self.keys)
        if signer == "":
            raise Fault(TAMPERED, f"{name} was edited: the signature with the key “{note[3]}” does not fit.")
        if signer in self.retired:
            raise Fault(TAMPERED, f"{name} is signed with the key “{signer}”, which had named its successor before.")
        if base64.b64decode(note[2]) != self.root():
            between = f"between entry {self.checkpointed + 1} and entry {self.size}"
            raise Fault(TAMPERED, f"{name} does not fit: something {between} was edited, inserted or reordered.")
        if checkpoint.edge != b"".join(self.edge):
            raise Fault(TAMPERED, f"{name} was edited: its right edge is another.")
        self._follow_keys(signer, note[3], name)
        self.number, self.checkpointed, self.previous = checkpoint.number, checkpoint.size, ""

    def _follow_keys(self, signer: str | None, key_id: str, name: str) -> None:
        """A key that an event names becomes trusted once a known key has sealed that event."""
        if signer is None:
            self.unknown = self.unknown or f"{name} is signed with the key “{key_id}”, which is not among the trusted."
            return
        if signer in self.successor_to:
            self.retired.add(self.successor_to[signer])
        for new, public in self.named.items():
            if self.keys.setdefault(new, public) == public and new != signer:
                self.successor_to[new] = signer
        self.named.clear()

    def root(self) -> bytes:
        root = self.edge[-1] if self.edge else hashlib.sha256().digest()
        for subtree in reversed(self.edge[:-1]):
            root = node(subtree, root)
        return root

    def finish(self) -> None:
        """What can only be said at the end."""
        if self.size != self.checkpointed:
            raise Fault(TAMPERED, f"Entry {self.checkpointed + 1} was inserted: no checkpoint speaks for it.")
        for purge, (count, total, first) in self.claims.items():
            if self.purges.get(purge) != (count, total):
                raise Fault(TAMPERED, f"{first}: the purge said to have destroyed its payload did not list it so.")
        for purge in self.purges.keys() - self.claims.keys():
            raise Fault(TAMPERED, f"The purge {purge} lists payloads that no entry knows as destroyed.")


def _weight(event_id: str) -> int:
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest(), "big")


def compare(witnesses: Mapping, lookup: Callable[[list[int]], dict], keys: Mapping[str, bytes]) -> tuple:
    """Hold the notes of each witness against the trail's own; `lookup` gives the stored notes of these sizes.

    Returns how far the witnesses agree with the trail (None if they say nothing of it), and the smallest size at which
    one does not, with its name.
    """
    agreed, conflict, is_noted = 0, (10**18, ""), False
    for name, notes in witnesses.items():
        source = iter(notes)
        while batch := list(islice(source, 500)):
            stored = lookup([int(note[1]) for note in batch])
            for note in batch:
                size, own = int(note[1]), NOTE.fullmatch(stored.get(int(note[1]), ""))
                is_same = own is not None and own[2] == note[2]
                if not is_same and not signer_of(note, keys):
                    continue  # somebody wrote into the witness what no trusted key signed
                is_noted = True
                if not is_same:
                    conflict = min(conflict, (size, name))
                elif size < conflict[0]:
                    agreed = max(agreed, size)
    return agreed if is_noted else None, conflict


def notes_in(path: Path) -> Iterator[re.Match]:
    """The checkpoints in a witness's log file or in a mailbox; everything else in it is passed over."""
    with path.open("rb") as file:
        is_mailbox = file.read(5) == b"From "
    if is_mailbox:
        with closing(mailbox.mbox(path, create=False)) as messages:
            for part in (part for message in messages for part in message.walk()):
                if part.get_content_maintype() == "text":
                    text = part.get_payload(decode=True).decode(errors="replace").replace("\r\n", "\n")
                    yield from NOTE.finditer(text + "\n")
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        lines: list[str] = []
        for line in file:
            lines = [*lines[-4:], line]
            if line.startswith("— ") and (note := NOTE.fullmatch("".join(lines))):
                yield note


def judge(items: Iterable, keys: Mapping[str, bytes], witnesses: Mapping, lookup: Callable) -> Verdict:
    """The verdict on a trail, read once from its beginning to its end."""
    trail = Judge(dict(keys))
    try:
        for item in items:
            trail.take(item)
        trail.finish()
        agreed, (size, name) = compare(witnesses, lookup, trail.keys)
    except Fault as fault:
        return Verdict(*fault.args, trail.size)
    if name:
        told = f"the witness {name} noted another checkpoint of size {size}"
        what = f"Something between entry {(agreed or 0) + 1} and entry {size} was rewritten"
        if size > trail.size:
            what = f"The trail was cut off after entry {trail.size}"
        return Verdict(TAMPERED, f"{what}: {told}.", trail.size)
    counted = f"{trail.size} entries sealed, {trail.unsealed} waiting for their seal"
    counted += f"; payloads: {trail.kept} kept, {trail.destroyed} destroyed with a record"
    if trail.unknown:
        return Verdict(KEY_UNKNOWN, f"{trail.unknown} Otherwise whole: {counted}.", trail.size)
    if agreed is None:
        return Verdict(NO_WITNESS, f"Whole as far as it goes, but no witness says how far: {counted}.", trail.size)
    return Verdict(WHOLE, f"Whole: {counted}; witnessed up to entry {agreed}.", trail.size)


def items_in(path: Path, notes: dict[int, str]) -> Iterator:
    """The items of an export, line by line; its checkpoints are also put into `notes`."""
    lines = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            lines += 1
            if lines == 1:
                if row != {"format": FORMAT}:
                    raise ValueError("no export of an audit trail")
            elif "end" in row:
                if row["end"] != lines or file.readline():
                    raise ValueError("incomplete")
                return
            elif "checkpoint" in row:
                notes[row["size"]] = row["note"]
                yield Checkpoint(row["checkpoint"], row["size"], base64.b64decode(row["edge"]), row["note"])
            elif "remark" in row:
                yield str(row["remark"])
            else:
                for name in ("leaf", "canonical", "columns"):
                    if row.get(name) is not None:
                        row[name] = base64.b64decode(row[name], validate=True)
                yield Entry(row.pop("entry"), row.pop("event"), **row)
    raise ValueError("incomplete")


def read_keys(path: Path) -> dict[str, bytes]:
    """Read a JSON file of key ids and hexadecimal public keys; raises OSError, ValueError or TypeError without one."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or any(len(key) != 64 for key in document.values()):
        raise ValueError("The key file must map key ids to public keys in hexadecimal.")
    return {key_id: bytes.fromhex(key) for key_id, key in document.items()}


def check_export(path: Path, keys: Mapping[str, bytes], witnesses: Mapping[str, Path]) -> Verdict:
    """The verdict on an exported file."""
    notes: dict[int, str] = {}
    try:
        read = {name: notes_in(witness) for name, witness in witnesses.items()}
        return judge(items_in(path, notes), keys, read, lambda sizes: notes)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Verdict(UNREADABLE, f"The export or a witness cannot be read ({type(error).__name__}).")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Say whether an exported audit trail is whole.")
    parser.add_argument("export", type=Path, help="the file that export_audit wrote")
    parser.add_argument("--keys", type=Path, help="trusted keys: a JSON file, key id to public key in hexadecimal")
    parser.add_argument("--witness", type=Path, action="append", default=[], help="a log or mailbox of checkpoints")
    options = parser.parse_args(arguments)
    try:
        keys = read_keys(options.keys) if options.keys else {}
    except (OSError, ValueError, TypeError):
        verdict = Verdict(UNREADABLE, "The key file cannot be read.")
    else:
        verdict = check_export(options.export, keys, {str(path): path for path in options.witness})
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every letter
    print(verdict.sentence)
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
