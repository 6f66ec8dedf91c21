"""The forms of the customer's own page: few fields, in the customer's words; the flows judge what is typed."""

from django import forms

from accounts.admin.forms import country_field, day_field, lines_field, text_field
from accounts.flows.customer_entries import Asked
from accounts.flows.objections import LONGEST
from accounts.models.party import AddressKind, ContactKind
from accounts.rules.documents import DOCUMENT_KINDS, suits
from accounts.rules.elements import fitting_addresses
from accounts.rules.new_parties import NewAddress, NewParty
from accounts.rules.parties import PartyKind

AS_PRINTED = "As it is printed on the document."
PAYMENTS = [
    ("card", "Credit or debit card"),
    ("bank", "Bank account"),
    ("wallet", "Wallet of a digital currency"),
    ("prepaid", "Prepaid card or voucher"),
    ("marketplace", "Through a marketplace"),
    ("none", "I do not pay"),
]


class AskedForm(forms.Form):
    """One thing asked for; `asked` says of whom. `cleaned_data` holds the keywords of customer_entries.TAKERS."""

    def __init__(self, *args, asked: Asked, **kwargs):
        super().__init__(*args, **kwargs)
        self.asked = asked


class DocumentForm(AskedForm):
    kind = forms.ChoiceField(label="Kind of document")
    file = forms.FileField(label="File", help_text="A PDF, PNG or JPEG, not protected by a password.", max_length=255)
    number = text_field("Number", 100, help_text=AS_PRINTED)
    country = country_field("Country that issued it")
    issued_on = day_field("Date of issue")
    expires_on = day_field("Date of expiry", help_text="Leave it empty when the document does not expire.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kind = self.asked.party.kind
        self.fields["kind"].choices = [(each.code, each.title) for each in DOCUMENT_KINDS if suits(each.code, kind)]

    def clean(self):
        given = super().clean()
        if upload := given.get("file"):
            given["file"], given["file_name"] = upload.file, upload.name
        return given


class AddressForm(AskedForm):
    kind = forms.ChoiceField(label="Kind of address")
    lines = lines_field("Street, number, postal code and town", 500, required=True)
    region = text_field("State or region", 60)
    country = country_field("Country", required=True)
    contact_name = text_field("Name of the contact", 300, help_text="Only for the address of next of kin or a contact.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        codes = fitting_addresses(self.asked.party.kind)
        self.fields["kind"].choices = [(code, label) for code, label in AddressKind.choices if code in codes]


class UseForm(AskedForm):
    country = country_field("Country in which our services are used", required=True)
    lines = lines_field("Town or address", 500)

    def clean(self):
        return {**super().clean(), "kind": AddressKind.USE_LOCATION.value, "region": ""}


class EmailForm(AskedForm):
    value = text_field("E-mail address", 254, required=True, widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def clean(self):
        return {**super().clean(), "kind": ContactKind.EMAIL.value}


class PhoneForm(AskedForm):
    value = text_field(
        "Telephone number", 40, required=True, help_text="With the country code, such as +49 30 123456.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )  # fmt: skip

    def clean(self):
        return {**super().clean(), "kind": ContactKind.PHONE.value}


class PaymentForm(AskedForm):
    kind = forms.ChoiceField(label="How you pay", choices=PAYMENTS)
    identifier = text_field("Account number or wallet", 300, help_text="Never the number of a card.")
    last_four = text_field("Last four digits of the card", 4)
    institution = text_field("Bank or service", 200)
    country = country_field("Country of the bank or service")
    source = text_field("Whose money it is and where it comes from", 300, required=True)


class KindForm(AskedForm):
    kind = forms.ChoiceField(label="The account is for", choices=[("individual", "a person"), ("entity", "a company")])


class CountryForm(AskedForm):
    formation_country = country_field("Country of formation", required=True)


class RegisterForm(AskedForm):
    registration_number = text_field("Number in the business register", 100, required=True)


class BirthForm(AskedForm):
    birth_date = day_field("Date of birth", required=True)


class NumberForm(AskedForm):
    national_id = text_field("National identification number", 100, required=True)


class OwnerForm(AskedForm):
    """One owner, who is new: nobody on file can be named here."""

    kind = forms.ChoiceField(label="The owner is", choices=[("individual", "a person"), ("entity", "a company")])
    legal_name = text_field("Full legal name", 300, required=True)
    percent = forms.DecimalField(label="Share in percent", min_value=0, max_value=100, max_digits=7, decimal_places=4)
    has_control = forms.BooleanField(label="Directs the company's affairs", required=False)
    birth_date = day_field("Date of birth", help_text="Of a person.")
    citizenship = country_field("Citizenship", help_text="Of a person.")
    formation_country = country_field("Country of formation", help_text="Of a company.")
    address_lines = lines_field("Street, number, postal code and town", 500, required=True)
    address_country = country_field("Country of the address", required=True)

    def clean(self):
        given = super().clean()
        if self.errors:
            return given
        kind = AddressKind.RESIDENCE if given["kind"] == PartyKind.INDIVIDUAL else AddressKind.PRINCIPAL
        address = NewAddress(kind.value, given.pop("address_lines"), "", given.pop("address_country"))
        own = {name: given.pop(name) for name in ("percent", "has_control")}
        return {"owner": NewParty(**given, addresses=(address,)), **own}


class ConfirmForm(AskedForm):
    confirmed = forms.BooleanField(label="I confirm this.")


class CertifyForm(ConfirmForm):
    signed_by = text_field("Your full name", 300, required=True)


FORMS: dict[str, type[AskedForm]] = {
    "identity_document": DocumentForm,
    "address": AddressForm,
    "use_location": UseForm,
    "email": EmailForm,
    "phone": PhoneForm,
    **dict.fromkeys(("payment", "payment_source", "payment_holder"), PaymentForm),
    "kind": KindForm,
    "formation_country": CountryForm,
    "registration_number": RegisterForm,
    "birth_date": BirthForm,
    "national_id": NumberForm,
    "owners": OwnerForm,
    "owners_certification": CertifyForm,
    "unchanged": ConfirmForm,
}


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^[0-9]{6}\Z", label="Code", help_text="The six digits that we read out to you.",
        error_messages={"invalid": "A code has six digits."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class ObjectionForm(forms.Form):
    text = lines_field("What is wrong, and why", LONGEST, rows=8, required=True)
