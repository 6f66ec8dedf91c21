"""The catalogue of products: one person proposes a version, another puts it in force."""

from django import forms
from django.contrib import admin

from kyc_portal.policy import products
from kyc_portal.policy.models import Citation, Product
from kyc_portal.staff.actions import flow_action
from kyc_portal.staff.record_admin import RecordAdmin
from kyc_portal.staff.sections import Badge, Facts, Link, Table, timeline_section

TONES = {"proposed": "warning", "in_force": "good"}


class ProductForm(forms.Form):
    """One version of a product, as it shall count."""

    code = forms.CharField(
        max_length=40, help_text="By which other systems ask, such as compute. A known code makes its next version."
    )
    title = forms.CharField(max_length=100, label="What it is")
    is_iaas = forms.BooleanField(required=False, label="It is an IaaS product under the definition")
    citation = forms.ModelChoiceField(
        Citation.objects.order_by("text"), to_field_name="code", label="By which definition"
    )
    why = forms.CharField(max_length=300, label="Why it is, or is not", widget=forms.Textarea(attrs={"rows": 3}))
    is_offered = forms.BooleanField(required=False, initial=True, label="It is offered")
    limited_may_use = forms.BooleanField(required=False, label="A limited account may go on using it")
    limited_may_start = forms.BooleanField(required=False, label="A limited account may start it")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


@admin.register(Product)
class ProductAdmin(RecordAdmin):
    list_display = ["reference", "code", "title", "is_iaas", "is_offered", "state", "proposed_at"]
    list_filter = ["state"]
    search_fields = ["reference", "code", "title"]
    ordering = ["code", "-proposed_at"]
    list_select_related = ["citation"]
    adding = ProductForm
    add_label = "Propose a product"

    def add(self, *, by, at, **cleaned):
        product = products.propose(by=by, at=at, **cleaned)
        return product, f"{product.reference} waits for a second signature."

    def page_title(self, product):
        return product.title

    def badges(self, product):
        return [Badge(product.get_state_display(), TONES.get(product.state, ""))]

    def sections(self, product, *, user, at):
        rows = [
            ("Code", product.code), ("IaaS product", _yes(product.is_iaas)), ("Why", product.why),
            ("Definition", Link(product.citation, product.citation)), ("Offered", _yes(product.is_offered)),
            ("A limited account may go on using it", _yes(product.limited_may_use)),
            ("A limited account may start it", _yes(product.limited_may_start)),
        ]  # fmt: skip
        versions = [
            [Link(each.reference, each), each.get_state_display(), each.proposed_at, each.proposed_by]
            for each in Product.objects.filter(code=product.code).exclude(pk=product.pk).order_by("-proposed_at")
        ]
        others = Table("versions", "Other versions", ["Version", "State", "Proposed", "By"], versions, empty="None.")
        return [Facts("product", "The product", rows), others, timeline_section(product)]

    def aside(self, product, *, user, at):
        rows = [
            ("Proposed", product.proposed_at), ("Proposed by", product.proposed_by),
            ("Answered", product.answered_at), ("Answered by", product.answered_by),
        ]  # fmt: skip
        return [Facts("signatures", "Signatures", rows)]

    @flow_action("Put in force", primary=True, warning="Answers to other systems follow it from now on.")
    def countersign(self, product, *, by, at):
        products.countersign(product, by=by, at=at)
        return f"{product.reference} is in force."

    @flow_action("Decline")
    def decline(self, product, *, by, at):
        products.decline(product, by=by, at=at)
        return f"{product.reference} is declined."

    @flow_action("Withdraw")
    def withdraw(self, product, *, by, at):
        products.withdraw(product, by=by, at=at)
        return f"{product.reference} is withdrawn."
