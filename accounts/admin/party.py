"""People and entities: everything known of one party on one page."""

from django.contrib import admin

from accounts.admin import forms, graph_page, missing, ownership_sections, seen_before
from accounts.admin.identity import marks_in_a_row, sealed, title_of
from accounts.flows import confirming, corrections, identification, links, parties, restricted, us_status
from accounts.flows.ownership import OwnersAbove
from accounts.models import ContactPoint, Party, ScreeningHit
from accounts.models.party import ConfirmedHow, PartyKind, UsStatus
from accounts.models.screening import HitStatus
from accounts.rules.hit_order import evidence_in_words
from accounts.rules.links import WORDS
from accounts.rules.us_status import SENTENCES
from kyc_portal.records.clock import legal_day
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.filters import QuerysetFilter
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, clocks_section, holds_section, timeline_section

MOST_SHOWN = 50
STATUS_BADGES = {UsStatus.US: Badge("U.S. person", "info"), UsStatus.FOREIGN: Badge("foreign person")}
HIT_TONES = {HitStatus.CONFIRMED: "danger", HitStatus.DISMISSED: ""}


class StatusFilter(QuerysetFilter):
    title = "U.S. status"
    parameter_name = "us"
    options = {
        "foreign": ("foreign or not settled", lambda rows, user, today: rows.foreign()),
        "unsettled": ("not settled", lambda rows, user, today: rows.filter(us_status=UsStatus.UNSETTLED)),
        "us": ("U.S. person", lambda rows, user, today: rows.filter(us_status=UsStatus.US)),
    }


def may_have_owners(party: Party) -> bool:
    """Whoever is no individual may be owned."""
    return party.kind != PartyKind.INDIVIDUAL


def _confirmed(contact: ContactPoint) -> tuple:
    """When and how this very value was confirmed; a value that was changed since is not."""
    return (contact.confirmed_at, contact.get_confirmed_how_display()) if contact.is_confirmed else ("", "")


def _others(count: int, says_something: bool) -> str:
    if not says_something:
        return f"{count:,} others or more"
    return f"{count:,} other{'s' if count > 1 else ''}"


def is_undetermined(party: Party) -> bool:
    """Whether nobody has settled yet if this is a person or an entity."""
    return party.kind == PartyKind.UNDETERMINED


@admin.register(Party)
class PartyAdmin(RecordAdmin):
    list_display = ["reference", "legal_name", "kind", "citizenship", "formation_country", "us_status", "created_at"]
    list_filter = [StatusFilter, "kind"]
    search_fields = ["reference", "legal_name", "names__name"]
    ordering = ["-created_at"]
    logs_views = True

    def badges(self, record):
        return [
            Badge(record.get_kind_display()),
            STATUS_BADGES.get(record.us_status, Badge("U.S. status not settled", "warning")),
        ]

    # --- buttons ----------------------------------------------------------------------------------------------------

    @flow_action("Settle U.S. status", form=forms.SettleStatusForm, primary=True)
    def settle_status(self, party, *, by, at, evidence):
        return us_status.settle_status(party, evidence=evidence, by=by, at=at).sentence

    @flow_action(
        "Correct details", form=forms.CorrectForm,
        warning="What you leave empty stays. The party is screened again.",
    )  # fmt: skip
    def correct(self, party, *, by, at, **given):
        changed = corrections.correct(party, by=by, at=at, **given)
        return f"{party.reference}: {', '.join(changed).replace('_', ' ')} corrected."

    @flow_action("Settle person or entity", form=forms.SettleKindForm, when=is_undetermined)
    def settle_kind(self, party, *, by, at, kind):
        corrections.correct(party, kind=kind, by=by, at=at)
        return f"{party.reference} is on file as {PartyKind(kind).label}."

    @flow_action("Add name", form=forms.NameForm)
    def add_name(self, party, *, by, at, kind, name):
        parties.add_name(party, kind=kind, name=name, by=by, at=at)
        return f"The name is on file. {party.reference} will be screened again."

    @flow_action("Add address", form=forms.AddressForm)
    def add_address(self, party, *, by, at, address):
        parties.add_address(party, address=address, by=by, at=at)
        return f"The address of {party.reference} is on file."

    @flow_action("Add e-mail or telephone", form=forms.ContactForm)
    def add_contact(self, party, *, by, at, kind, value):
        parties.add_contact(party, kind=kind, value=value, by=by, at=at)
        return f"{party.reference} can be reached this way."

    @flow_action(
        "Ask to confirm", form=forms.ConfirmContactForm,
        warning="An e-mail address gets a link. For a telephone you get a code: call the number and read it out; the "
        "customer enters it on their page, or tells it back to you and you enter it.",
    )  # fmt: skip
    def confirm_contact(self, party, *, by, at, contact):
        code = confirming.ask(contact, by=by, at=at)
        return f"The code is {code}. Read it out now; it is not shown again." if code else "A link is on its way."

    @flow_action("Enter code", form=forms.CodeForm, warning="The code that the customer told back to you.")
    def enter_code(self, party, *, by, at, contact, code):
        confirming.enter_code(contact, code, how=ConfirmedHow.TOLD, by=by, at=at)
        return f"The telephone number of {party.reference} is confirmed."

    @flow_action("Add document", form=forms.DocumentForm)
    def add_document(self, party, *, by, at, **given):
        document = identification.add_document(party, by=by, at=at, **given)
        return f"{document.reference} is on file.", document

    @flow_action("Add means of payment", form=forms.PaymentForm)
    def add_payment(self, party, *, by, at, **given):
        payment = identification.add_payment_method(party, by=by, at=at, **given)
        return f"The means of payment ({payment}) is on file."

    @flow_action("End means of payment", form=forms.EndPaymentForm, warning="Its history and fingerprint stay.")
    def end_payment(self, party, *, by, at, payment):
        identification.end_payment_method(payment, by=by, at=at)
        return f"{payment} is no longer in use."

    @flow_action("Add owner", form=forms.OwnerForm, when=may_have_owners)
    def add_owner(self, party, *, by, at, **given):
        stake = identification.add_owner(party, by=by, at=at, **given)
        return f"{stake.owner.reference} is an owner of {party.reference} with {stake}."

    @flow_action("End stake", form=forms.EndStakeForm, when=may_have_owners)
    def end_stake(self, party, *, by, at, stake, to_on):
        identification.end_stake(stake, to_on=to_on, by=by, at=at)
        return f"The stake of {stake.owner.reference} ended on {to_on}."

    # --- page -------------------------------------------------------------------------------------------------------

    def sections(self, record, *, user, at):
        today = legal_day(at)
        above = OwnersAbove(record, today)
        figures = links.figures_of(above.regime)
        return [
            *missing.of_party(record, above),
            self._names(record),
            self._addresses(record, user),
            self._contacts(record, user),
            *self._owners(record, user, above),
            self._documents(record, user, today),
            self._payments(record, user),
            self._hits(record),
            self._screenings(record),
            self._identifiers(record, figures),
            seen_before.section(record),
            self._links(record, figures),
            timeline_section(record),
        ]

    def aside(self, record, *, user, at):
        doors = ownership_sections.doors(record, user) if may_have_owners(record) else None
        clocks = clocks_section(record, today=legal_day(at))
        return [
            self._identity(record, user), self._status(record), self._accounts(record), clocks,
            *([doors] if doors else []), holds_section(record),
        ]  # fmt: skip

    def _identity(self, party, user):
        rows = [
            ("Legal name", party.legal_name),
            ("Kind", party.get_kind_display()),
            ("Legal form", party.entity_type),
            ("Birth date", sealed(party, "birth_date", "birth date", user)),
            ("Citizenship", party.citizenship.name),
            ("Country of formation", party.formation_country.name),
            ("Register number", sealed(party, "registration_number", "registration number", user)),
            ("National identification number", sealed(party, "national_id", "national identification number", user)),
            ("On file since", party.created_at),
            ("Changed", party.changed_at),
        ]
        return Facts("identity", "Who", rows)

    def _status(self, party):
        rows = [
            ("Status", STATUS_BADGES.get(party.us_status, party.get_us_status_display())),
            ("Basis", SENTENCES.get(party.us_basis)),
            ("Settled by", party.us_settled_by),
            ("On", party.us_settled_at),
        ]
        return Facts("status", "U.S. status", rows)

    def _accounts(self, party):
        accounts = party.accounts.order_by("-created_at")[:MOST_SHOWN]
        rows = [
            [Link(account.reference, account), account.get_status_display(), account.product] for account in accounts
        ]
        return Table("accounts", "Accounts", ["Account", "State", "Product"], rows, empty="No account of its own.")

    def _names(self, party):
        names = party.names.order_by("added_at", "pk")
        rows = [[name.name, name.get_kind_display(), name.script] for name in names]
        return Table("names", "Further names", ["Name", "Kind", "Script"], rows, empty="No further name is known.")

    def _addresses(self, party, user):
        rows = [
            [
                row.get_kind_display(), row.country.name, row.region, sealed(row, "lines", "address", user),
                sealed(row, "contact_name", "name of the contact", user), row.added_at,
            ]
            for row in party.addresses.order_by("added_at", "pk")
        ]  # fmt: skip
        head = ["Kind", "Country", "Region", "Street address", "Whose", "Added"]
        return Table("addresses", "Addresses", head, rows, empty="No address is on file. Add one.")

    def _contacts(self, party, user):
        rows = [
            [
                row.get_kind_display(),
                sealed(row, "value", row.get_kind_display(), user),
                *_confirmed(row),
                row.added_at,
            ]
            for row in party.contact_points.order_by("added_at", "pk")
        ]
        head = ["Kind", "Value", "Confirmed", "How", "Added"]
        return Table("contacts", "Ways to reach them", head, rows, empty="There is no way to reach them. Add one.")

    def _owners(self, party, user, above):
        """The tree of owners with the stakes beside it, who counts and why; nothing for an individual."""
        if not may_have_owners(party):
            return []
        stakes = party.stakes_in_it.select_related("owner").order_by("to_on", "-percent", "pk")[:MOST_SHOWN]
        rows = [
            [Link(stake.owner.legal_name, stake.owner), str(stake), stake.has_control, stake.from_on, stake.to_on]
            for stake in stakes
        ]
        head = ["Owner", "Share", "Control", "From", "To"]
        empty = "No owner is on file. Add everybody who owns or controls it."
        table = Table("stakes", "Stakes", head, rows, empty=empty)
        tree = ownership_sections.owner_tree(above, table, user)
        return [tree, ownership_sections.beneficial(above, user), ownership_sections.blocked(above, user)]

    def _documents(self, party, user, today):
        rows = [
            [
                Link(document.reference, document),
                title_of(document),
                sealed(document, "number", "document number", user),
                document.country.name,
                document.expires_on,
                marks_in_a_row(document, today),
            ]
            for document in party.documents.order_by("-added_at", "pk")[:MOST_SHOWN]
        ]
        head = ["Document", "Kind", "Number", "Country", "Expires", "Notice"]
        return Table("documents", "Documents", head, rows, empty="No document is on file. Add one.")

    def _payments(self, party, user):
        rows = [
            [
                Link(payment, payment), sealed(payment, "identifier", "payment identifier", user), payment.institution,
                payment.source, payment.ended_at,
            ]
            for payment in party.payment_methods.order_by("-added_at", "pk")[:MOST_SHOWN]
        ]  # fmt: skip
        head = ["Means", "Identifier", "Institution", "Source", "Ended"]
        return Table("payment", "Means of payment", head, rows, empty="No means of payment is on file. Add one.")

    def _hits(self, party):
        rows = [
            [
                Link(hit.reference, hit), hit.entry_name, f"{hit.score:.2f}", evidence_in_words(hit.evidence),
                Badge(hit.get_status_display(), HIT_TONES.get(hit.status, "warning")),
            ]
            for hit in party.hits.order_by(*ScreeningHit.ORDER)[:MOST_SHOWN]
        ]  # fmt: skip
        return Table(
            "hits",
            "List hits",
            ["Hit", "Listed name", "Score", "Among equal scores", "State"],
            rows,
            empty="No list names them.",
        )

    def _screenings(self, party):
        screenings = party.screenings.select_related("snapshot").order_by("-at", "pk")[:MOST_SHOWN]
        rows = [[row.at, Link(row.snapshot, row.snapshot), row.hit_count] for row in screenings]
        return Table("screenings", "Screenings", ["At", "List", "Hits"], rows, empty="They were not screened yet.")

    def _identifiers(self, party, figures):
        """What can tie a party to others, by kind; the values stay sealed."""
        rows = [
            [
                WORDS.get(each.kind, each.kind), each.made_at,
                Badge(_others(each.others, each.says_something), "warning" if each.says_something else "")
                if each.others else "nobody",
            ]
            for each in links.identifiers_of(party, figures)[:MOST_SHOWN]
        ]  # fmt: skip
        head = ["Of its", "Kept since", "Shared with"]
        note = f"Compared by keyed fingerprints. What more than {figures.most_holders} share ties nobody to anybody."
        empty = "Nothing is on file that could be shared with others."
        return Table("identifiers", "Identifiers", head, rows, empty=empty, note=note if rows else "")

    def _links(self, party, figures):
        rows = [
            [Link(link.party.legal_name, link.party), link.party.reference, f"{link.score:.0%}", link.sentence]
            for link in links.find_links(party, figures)
        ]
        rows += [
            ["A purged file", found.customer.reference, f"{found.score:.0%}", found.sentence]
            for found in restricted.find_restricted(party, figures)
        ]
        head = ["Party", "Reference", "Strength", "Why"]
        return Table(
            "links", "Parties that share something", head, rows, empty="They share nothing with anybody.",
            **graph_page.door(party),
        )  # fmt: skip
