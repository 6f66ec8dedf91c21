"""What one row of the policy table says: of an address, of a button, of rows that some never learn of, of a screen."""

from dataclasses import dataclass, field

EVERYBODY = "everybody"  # also who is not logged in
ANYBODY_HERE = "anybody logged in"
ANY_STAFF = "any staff"
KEY_HOLDERS = "whoever the view lets in by a key"  # no person: the view itself asks for a key and judges its scopes


def has_one(user, rights: str) -> bool:
    """Whether this person holds one of these rights (a text of names, separated by blanks)."""
    return any(user.has_perm(right) for right in rights.split())


@dataclass(frozen=True)
class Page:
    """One address: who may read it and who may send to it; "" where the method does not exist."""

    get: str = ""
    post: str = ""
    besides: str = ""  # a right that is wanted as well
    has_head: bool = True  # False where reading is an act that is counted
    most_bytes: int = 0  # of the body of what is sent here; 0 for no limit but that of each view
    of: str = ""  # the kind of record whose key or reference stands in the address
    act: str = ""  # the button of that kind whose row judges the record found

    @property
    def asks_for_key(self) -> bool:
        """Whether the view itself judges who asks and how; its answers are for programs."""
        return KEY_HOLDERS in (self.get, self.post)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods this address answers; every other one is a 405."""
        read = ("GET", "HEAD") if self.has_head else ("GET",)
        return (*(read if self.get else ()), *(("POST",) if self.post else ()))

    def opens_to(self, user, method: str) -> bool:
        """Whether this person may use this method here; the record asked for is judged later, by its own page."""
        who = self.post if method == "POST" else self.get
        if who in (EVERYBODY, KEY_HOLDERS):
            return True
        if not user.is_active:
            return False
        if who == ANYBODY_HERE:
            return True
        return (
            user.is_staff
            and (who == ANY_STAFF or has_one(user, who))
            and (not self.besides or user.has_perm(self.besides))
        )


@dataclass(frozen=True)
class Act:
    """One button of a record: which rights it takes and in which states of the record it is offered.

    For rows whose `kind` (or `worked_as`, where a row has that) is a key of `by_kind` other rights count. `many`: also
    in the menu of the list.
    """

    rights: str
    states: str = ""
    many: bool = False
    by_kind: dict[str, str] = field(default_factory=dict)
    whose: str = ""  # the column that names the only person who may
    after: str = ""  # the column with the key of who took the first step: the second is not offered to them
    worker: str = ""  # the column with the person to whom it is offered, and beside them to who holds `or_right`
    or_right: str = ""

    @property
    def every_right(self) -> str:
        """All rights that open it on some record."""
        return " ".join([self.rights, *self.by_kind.values()])

    def may(self, user, record=None) -> bool:
        """Whether this person may use it: on this record, or on any when none is given."""
        if record is not None and self.whose and getattr(record, self.whose) != user.pk:
            return False
        if record is None or not self.by_kind:
            return has_one(user, self.every_right)
        return has_one(user, self.by_kind.get(getattr(record, "worked_as", "") or record.kind, self.rights))

    def is_offered(self, user, record) -> bool:
        """Whether the button is worth showing to this person; the flow refuses the second signature of the first, and
        whoever does not work the record."""
        if self.after and getattr(record, self.after) == str(user.pk):
            return False
        if not self.worker or getattr(record, self.worker) == user.pk:
            return True
        return bool(self.or_right) and user.has_perm(self.or_right)

    def fits(self, record) -> bool:
        """Whether it is offered in the record's present state; the flow itself still refuses what must not be."""
        return not self.states or state_of(record) in self.states.split()


@dataclass(frozen=True)
class Hidden:
    """Rows in which `column` holds `value` exist only for who holds `unless`."""

    column: str
    value: str
    unless: str


@dataclass(frozen=True)
class Named:
    """Rows in which `flag` is set exist only for people named one by one: in `readers` (user, case, ended_at)."""

    flag: str
    path: str
    readers: str = "cases.casereader"


@dataclass(frozen=True)
class Screen:
    """A kind of record in the admin: its buttons, who adds one, and which rows some never learn of."""

    add: str = ""
    acts: dict[str, Act] = field(default_factory=dict)
    hidden: tuple[Hidden, ...] = ()
    named: Named | None = None
    own: str = ""  # the column that names a person: who lacks the right `all_for` sees only the rows of their own
    all_for: str = ""
    speaks_of: bool = False  # its rows name another record (`label`, `name`) and exist for who may see that one


def state_of(record) -> str:
    """The column that says where a record stands, whatever it is called."""
    return str(getattr(record, "status", "") or getattr(record, "state", ""))
