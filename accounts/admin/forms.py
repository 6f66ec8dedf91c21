"""Forms for taking in customers and what identifies them: fields and layout only, the flows judge."""

from django import forms
from django_countries import countries

from accounts.flows import reveal
from accounts.models import OwnershipStake, Party
from accounts.models.identity import PaymentKind
from accounts.models.party import AddressKind, ContactKind, NameKind
from accounts.rules.documents import DOCUMENT_KINDS
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.parties import CHOICES as PARTY_KINDS
from accounts.rules.parties import PartyKind
from accounts.rules.refusals import CHOICES as REFUSAL_REASONS
from accounts.rules.us_status import StatusEvidence
from kyc_portal.policy.models import StatementKind, StatementVersion

CONTACT_HELP = "Only for the address of next of kin or of a contact person: whose it is."
NO_CHOICE = [("", "–")]
COUNTRIES = [*NO_CHOICE, *((code, name) for code, name in countries)]


def day_field(label: str, **options) -> forms.DateField:
    """A day as YYYY-MM-DD, and nothing else: 02/03/2024 means two days to two readers (trust.md D6)."""
    given = {"required": False, "input_formats": ["%Y-%m-%d"], **options}
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    wrong = {"invalid": "This is no day. Write it as YYYY-MM-DD."}
    return forms.DateField(label=label, widget=widget, error_messages=wrong, **given)


def text_field(label: str, limit: int, **options) -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, **{"required": False, **options})


def lines_field(label: str, limit: int, rows: int = 3, **options) -> forms.CharField:
    return text_field(label, limit, widget=forms.Textarea(attrs={"rows": rows}), **options)


def country_field(label: str, **options) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=COUNTRIES, **{"required": False, **options})


class PartyForm(forms.Form):
    """What is asked of a new party; `new_party()` gives it to the flow."""

    kind = forms.ChoiceField(label="Person or entity", choices=PARTY_KINDS)
    legal_name = text_field("Full legal name", 300, required=True)
    script_names = lines_field("In other scripts", 2000, help_text="The name as it is written there, one in each line.")
    aliases = lines_field("Other names", 2000, help_text="One in each line.")
    trade_names = lines_field("Trades as", 2000, help_text="One in each line.")
    citizenship = country_field("Citizenship")
    birth_date = day_field("Birth date", help_text="Individuals only, YYYY-MM-DD.")
    formation_country = country_field("Country of formation")
    entity_type = text_field("Legal form", 60)
    registration_number = text_field("Number in the business register", 100)
    national_id = text_field("National identification number", 100)
    email = text_field("E-mail", 254)
    phone = text_field("Telephone", 40, help_text="With the country code, such as +49 30 123456.")
    address_kind = forms.ChoiceField(label="Kind of address", choices=AddressKind.choices, required=False)
    address_lines = lines_field("Street address", 500)
    address_region = text_field("State or region", 60)
    address_contact = text_field("Name of the contact", 300, help_text=CONTACT_HELP)
    address_country = country_field("Country of the address")
    use_country = country_field("Country of use")
    ssh_keys = lines_field("SSH public keys", 40_000, help_text="One in each line. Only a fingerprint is kept.")
    devices = lines_field("Registration devices", 4000, help_text="One identifier in each line. Not kept either.")

    def new_party(self) -> NewParty:
        """The party as typed. To be asked of a valid form."""
        given = self.cleaned_data
        same = (
            "kind", "legal_name", "citizenship", "birth_date", "formation_country", "entity_type",
            "registration_number", "national_id", "email", "phone",
        )  # fmt: skip
        return NewParty(
            **{name: given[name] for name in same},
            names=(
                *_names("alias", given["aliases"]),
                *_names("trade", given["trade_names"]),
                *_names("script", given["script_names"]),
            ),
            addresses=tuple(self._addresses(given)),
            **{name: tuple(filter(str.strip, given[name].splitlines())) for name in ("ssh_keys", "devices")},
        )

    def _addresses(self, given: dict):
        lines, region, country = given["address_lines"], given["address_region"], given["address_country"]
        contact_name = given["address_contact"]
        if lines or region or country or contact_name:
            kind = given["address_kind"] or AddressKind.RESIDENCE
            yield NewAddress(kind=kind, lines=lines, region=region, country=country, contact_name=contact_name)
        if given["use_country"]:
            yield NewAddress(AddressKind.USE_LOCATION.value, "", "", given["use_country"])


def _names(kind: str, text: str) -> tuple[tuple[str, str], ...]:
    return tuple((kind, line.strip()) for line in text.splitlines() if line.strip())


class NewCustomerForm(PartyForm):
    """A new customer; `cleaned_data` holds new, product, external_key and is_reseller for intake.open_prospect."""

    product = text_field("Product", 80)
    external_key = text_field("Your customer number", 80)
    is_reseller = forms.BooleanField(label="Sells our services on", required=False)

    def clean(self):
        given = super().clean()
        if self.errors:
            return given
        own = {name: given[name] for name in ("product", "external_key", "is_reseller")}
        return {"new": self.new_party(), **own}


class CorrectForm(forms.Form):
    """Details to put right; what is left empty stays as it is."""

    kind = forms.ChoiceField(label="Person or entity", choices=[("", "as it is"), *PARTY_KINDS], required=False)
    legal_name = text_field("Full legal name", 300, help_text="The name on file is kept as a former name.")
    birth_date = day_field("Birth date")
    citizenship = country_field("Citizenship")
    formation_country = country_field("Country of formation")
    entity_type = text_field("Legal form", 60)
    registration_number = text_field("Number in the business register", 100)
    national_id = text_field("National identification number", 100)


class SettleKindForm(forms.Form):
    """Whether the customer is a person or an entity."""

    kind = forms.ChoiceField(
        label="Person or entity", choices=[choice for choice in PARTY_KINDS if choice[0] != PartyKind.UNDETERMINED]
    )


class NameForm(forms.Form):
    """A further name."""

    kind = forms.ChoiceField(label="Kind", choices=NameKind.choices)
    name = text_field("Name", 300, required=True)


class AddressForm(forms.Form):
    """An address; `cleaned_data` holds the keyword of parties.add_address."""

    kind = forms.ChoiceField(label="Kind", choices=AddressKind.choices)
    lines = lines_field("Street address", 500)
    region = text_field("State or region", 60)
    country = country_field("Country", required=True)
    contact_name = text_field("Name of the contact", 300, help_text=CONTACT_HELP)

    def clean(self):
        given = super().clean()
        return given if self.errors else {"address": NewAddress(**given)}


class ContactForm(forms.Form):
    """An e-mail address or telephone number."""

    kind = forms.ChoiceField(label="Kind", choices=ContactKind.choices)
    value = text_field("E-mail address or telephone number", 254, required=True)


class DocumentForm(forms.Form):
    """A document with its file."""

    kind = forms.ChoiceField(label="Kind", choices=[(kind.code, kind.title) for kind in DOCUMENT_KINDS])
    file = forms.FileField(label="File", required=False, help_text="PDF, PNG or JPEG.")
    number = text_field("Number", 100)
    country = country_field("Issuing country")
    place_of_issue = text_field("Place of issue", 100)
    issued_on = day_field("Date of issue")
    expires_on = day_field("Date of expiry", help_text="9999-12-31 when it does not expire.")
    mrz = lines_field(
        "Machine-readable zone", 200,
        help_text="The two or three lines, as they are printed. Left empty, they can be read off the picture later.",
    )  # fmt: skip

    def clean(self):
        given = super().clean()
        if upload := given.get("file"):
            given["file"], given["file_name"] = upload.file, upload.name
        return given


class PaymentForm(forms.Form):
    """Means and source of payment."""

    kind = forms.ChoiceField(label="Kind", choices=PaymentKind.choices)
    identifier = text_field("Identifier", 300, help_text="Card token, account number or wallet; never a card number.")
    last_four = text_field("Last four digits of the card", 4)
    institution = text_field("Institution", 200)
    country = country_field("Country")
    holder = text_field("Holder", 300, help_text="Who holds the card, account or wallet.")
    source = text_field("Source", 300, help_text="Whose money it is and where it comes from.")
    customer_number = text_field("Customer number there", 100, help_text="What the institution calls this customer.")
    transactions = lines_field("Transactions there", 20_000, help_text="Numbers of transactions, one a line.")


class TransactionsForm(forms.Form):
    """Further transactions of a means of payment."""

    transactions = lines_field("Transactions", 20_000, help_text="Numbers of transactions, one a line.", required=True)


class OwnerForm(PartyForm):
    """An owner, on file or new; `cleaned_data` holds the keywords of identification.add_owner."""

    reference = text_field(
        "Party on file", 20, help_text="Its reference, PTY-…; then the fields of a new party stay empty."
    )
    percent = forms.DecimalField(label="Share in percent", min_value=0, max_value=100, max_digits=7, decimal_places=4)
    has_control = forms.BooleanField(label="Exercises substantial control", required=False)
    from_on = day_field("Held from")
    to_on = day_field("Last day", help_text="Only for a stake that is over.")
    field_order = ("reference", "percent", "has_control", "from_on", "to_on")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["legal_name"].required = False

    def clean(self):
        given = super().clean()
        if self.errors:
            return given
        own = {name: given[name] for name in ("percent", "has_control", "from_on", "to_on")}
        owner = self._on_file(given) if given["reference"] else self.new_party()
        return {"owner": owner, **own}

    def _on_file(self, given: dict) -> Party | None:
        if given["legal_name"]:
            self.add_error("legal_name", "Name a party on file or a new one, not both.")
        party = Party.objects.filter(reference=given["reference"].upper()).first()
        if party is None:
            self.add_error("reference", "There is no party with this reference. Look it up under Parties.")
        return party


class RecordForm(forms.Form):
    """Base of forms that offer what belongs to one record."""

    wants_record = True

    def __init__(self, *args, record=None, **kwargs):
        self.record = record
        super().__init__(*args, **kwargs)


class EndStakeForm(RecordForm):
    """Which stake ended, and on which day."""

    stake = forms.ChoiceField(label="Stake")
    to_on = day_field("Last day", required=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        stakes = OwnershipStake.objects.filter(owned=self.record, to_on__isnull=True).select_related("owner")
        self._stakes = {str(stake.pk): stake for stake in stakes.order_by("owner__legal_name", "pk")}
        self.fields["stake"].choices = [
            (key, f"{stake.owner.legal_name} ({stake.owner.reference}): {stake}") for key, stake in self._stakes.items()
        ]

    def clean_stake(self):
        return self._stakes[self.cleaned_data["stake"]]


class ConfirmContactForm(RecordForm):
    """Which way to reach somebody is to be confirmed."""

    kinds = tuple(ContactKind.values)
    contact = forms.ChoiceField(label="E-mail address or telephone")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        points = self.record.contact_points.filter(kind__in=self.kinds).order_by("added_at", "pk")
        self._points = {str(point.pk): point for point in points if not point.is_confirmed}
        self.fields["contact"].choices = [
            (
                key,
                f"{point.get_kind_display()}, on file since {point.added_at:%Y-%m-%d}"
                if point.added_at
                else str(point),
            )
            for key, point in self._points.items()
        ]

    def clean_contact(self):
        return self._points[self.cleaned_data["contact"]]


class CodeForm(ConfirmContactForm):
    """The code a customer told back."""

    kinds = (ContactKind.PHONE.value,)
    code = forms.RegexField(r"^[0-9]{6}\Z", label="Code", error_messages={"invalid": "A code has six digits."})


class EndPaymentForm(RecordForm):
    """Which means of payment is no longer used."""

    payment = forms.ChoiceField(label="Means of payment")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        payments = self.record.payment_methods.filter(ended_at__isnull=True).order_by("added_at", "pk")
        self._payments = {str(payment.pk): payment for payment in payments}
        self.fields["payment"].choices = [(key, str(payment)) for key, payment in self._payments.items()]

    def clean_payment(self):
        return self._payments[self.cleaned_data["payment"]]


class CertifyOwnersForm(forms.Form):
    """The signed statement about the owners."""

    signed_on = day_field("Signed on", required=True)
    signed_by = text_field("Signed by", 300, required=True, help_text="The person who opens the account.")
    text_version = forms.ChoiceField(label="Wording that was signed")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        wordings = StatementVersion.objects.filter(kind=StatementKind.OWNERS).order_by("-effective_from", "-number")
        self.fields["text_version"].choices = [
            (str(each.number), f"version {each.number}, in force from {each.effective_from}") for each in wordings
        ]


class SettleStatusForm(RecordForm):
    """What has been shown of U.S. status; nothing shown means foreign."""

    citizenship = country_field("Citizenship shown")
    permanent_resident_proof = forms.BooleanField(label="Proof of lawful permanent residence", required=False)
    formation_country = country_field("Country of formation shown")
    branch_of_us_entity = forms.BooleanField(label="Branch of an entity formed in the United States", required=False)
    located_in_us_evidence = forms.BooleanField(label="Evidence of presence in the United States", required=False)

    def clean(self):
        given = super().clean()
        return given if self.errors else {"evidence": StatusEvidence(kind=self.record.kind, **given)}


class RefuseForm(forms.Form):
    """Why an account is not opened; the customer reads the wording that belongs to the reason."""

    reason = forms.ChoiceField(label="Reason", choices=REFUSAL_REASONS)


class RevealForm(forms.Form):
    """Why a sealed value is wanted."""

    why = forms.ChoiceField(label="Why do you need it?", choices=[*NO_CHOICE, *reveal.REASONS])


class CustomerFileForm(forms.Form):
    """A CSV file of customers."""

    file = forms.FileField(label="CSV file")
    keep_good_rows = forms.BooleanField(
        label="Take in the good rows", required=False, help_text="Otherwise one bad row refuses the whole file."
    )
    dry_run = forms.BooleanField(label="Only look, store nothing", required=False)
    encoding = text_field("Encoding", 40, help_text="Only for files that are neither UTF-8 nor UTF-16, such as cp1252.")


class OwnersDayForm(forms.Form):
    """As of which day owners are shown."""

    on = day_field("Day", required=True)


class OwnershipFileForm(forms.Form):
    """A file of statements about owners."""

    file = forms.FileField(
        label="File", help_text="Beneficial Ownership Data Standard 0.4, as a JSON array or as JSON Lines."
    )


class OwnershipExportForm(forms.Form):
    """In which form the owners are handed out."""

    form = forms.ChoiceField(label="Form", choices=[("json", "JSON array"), ("jsonl", "JSON Lines")])
