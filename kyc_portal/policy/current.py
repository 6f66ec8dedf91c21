"""Which text applied on a day: the regime with its figures, the CIP version in force (R3)."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, models

from kyc_portal.policy.models import (
    CipVersion,
    Citation,
    PrivacyNoticeVersion,
    Product,
    ProductState,
    RegimeNumber,
    RegimeProfile,
    StatementKind,
    StatementVersion,
)
from kyc_portal.policy.regimes import (
    CERTIFICATION_OF_DOWNSTREAM,
    CERTIFICATION_OF_OWNERS,
    CITATIONS,
    COMMON,
    PRIVACY_NOTICE,
    PRODUCTS,
    PROFILES,
    TEXTS_FROM,
    YEARLY_ATTESTATION,
)
from kyc_portal.policy.verbs import Verb
from kyc_portal.policy.versions import in_force
from kyc_portal.records import audit
from kyc_portal.records.acting import flow
from kyc_portal.records.clock import moment
from kyc_portal.records.refs import Actor, RecordRef
from kyc_portal.refusal import Refusal


class NoSuchRegime(Refusal):
    """The regime the settings name is not among the profiles, or was not in use on that day."""


class NoSuchFigure(Refusal):
    """The regime has no figure of this name."""


class NoCip(Refusal):
    """No CIP version was in force on that day."""


class Figures(Mapping[str, RegimeNumber]):
    """The figures of a profile by name, each made a row when it is asked for: of two hundred few ever are."""

    def __init__(self, profile: RegimeProfile):
        fields = [field.attname for field in RegimeNumber._meta.concrete_fields]
        cited = [f"citation__{field.attname}" for field in Citation._meta.concrete_fields]
        self._fields, self._made = fields, {}
        self._found = {row[fields.index("name")]: row for row in profile.numbers.values_list(*fields, *cited)}

    def __getitem__(self, name: str) -> RegimeNumber:
        if name not in self._made:
            values, count = self._found[name], len(self._fields)
            made = self._made[name] = RegimeNumber.from_db(DEFAULT_DB_ALIAS, self._fields, values[:count])
            fields = [field.attname for field in Citation._meta.concrete_fields]
            made.citation = Citation.from_db(DEFAULT_DB_ALIAS, fields, values[count:])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True)
class Regime:
    """One profile as of one day, read once: figures by name, required elements, and whether it binds."""

    code: str
    label: str
    standing: str
    elements: frozenset[str]
    figures: Figures

    def figure(self, name: str) -> RegimeNumber:
        if name not in self.figures:
            raise NoSuchFigure(f"The regime {self.code} has no figure “{name}”. Add it under Policy, Regime profiles.")
        return self.figures[name]

    def number(self, name: str) -> Decimal:
        """The figure's value; its unit is the one in policy/regimes.py."""
        return self.figure(name).value

    def whole(self, name: str) -> int:
        """A figure that counts days or years."""
        return int(self.number(name))

    def days(self, name: str) -> timedelta:
        return timedelta(days=self.whole(name))

    def cite(self, name: str) -> str:
        """Where the figure stands written, for example "15 CFR 7.302 (89 FR 5698) (proposed)"."""
        return str(self.figure(name).citation)


def _in_use(day: date) -> models.Q:
    begun = models.Q(valid_from__isnull=True) | models.Q(valid_from__lte=day)
    not_over = models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=day)
    return begun & not_over


def profile_on(day: date) -> RegimeProfile:
    """The profile the settings choose, as of `day`, without its figures. Raises NoSuchRegime."""
    profile = RegimeProfile.objects.filter(_in_use(day), code=settings.REGIME).first()
    if profile is None:
        raise NoSuchRegime(f"No regime profile {settings.REGIME} was in use on {day}. Set KYC_REGIME to one that was.")
    return profile


def regime_on(day: date) -> Regime:
    """The regime the settings choose, as of `day`; two queries. Raises NoSuchRegime."""
    profile = profile_on(day)
    return Regime(profile.code, profile.label, profile.standing, frozenset(profile.elements), Figures(profile))


def number_on(name: str, day: date) -> models.QuerySet:
    """One figure of the regime the settings choose, as a row that another query can ask for within itself."""
    profiles = RegimeProfile.objects.filter(_in_use(day), code=settings.REGIME)
    return RegimeNumber.objects.filter(profile__in=profiles, name=name).values("value")


def whole_number_on(name: str, day: date) -> int:
    """One whole figure of that regime, read alone in one query. Raises RegimeNumber.DoesNotExist for an unknown one."""
    return int(number_on(name, day).get()["value"])


def cip_on(day: date) -> CipVersion:
    """The CIP version in force on `day`; raises NoCip."""
    version = in_force(CipVersion, day)
    if version is None:
        raise NoCip(f"No CIP version was in force on {day}. Approve one under Policy, CIP versions.")
    return version


SHIPPED_TEXTS = (
    (PrivacyNoticeVersion, {}, PRIVACY_NOTICE),
    (StatementVersion, {"kind": StatementKind.OWNERS.value}, CERTIFICATION_OF_OWNERS),
    (StatementVersion, {"kind": StatementKind.DOWNSTREAM.value}, CERTIFICATION_OF_DOWNSTREAM),
    (StatementVersion, {"kind": StatementKind.ATTESTATION.value}, YEARLY_ATTESTATION),
)


def load_shipped(**signal) -> None:
    """After each migration: put the shipped citations and profiles into the database; rows already there stay."""
    if Product._meta.db_table in connection.introspection.table_names():
        _take_in_shipped(by=Actor.operator(), at=moment(None))


@flow
def _take_in_shipped(*, by: Actor, at: datetime) -> None:
    citations, new = {}, 0
    for code, shipped in CITATIONS.items():
        citations[code], is_new = Citation.objects.get_or_create(
            code=code, defaults={"text": shipped.text, "standing": shipped.standing, "mark": shipped.mark}
        )
        new += is_new
    for shipped in PROFILES:
        profile, _ = RegimeProfile.objects.get_or_create(
            code=shipped.code,
            defaults={"title": shipped.title, "standing": shipped.standing, "elements": list(shipped.elements)},
        )
        there = set(profile.numbers.values_list("name", flat=True))
        added = RegimeNumber.objects.bulk_create(
            RegimeNumber(
                profile=profile, name=figure.name, value=figure.value, unit=figure.unit,
                citation=citations[figure.citation], reason=figure.reason,
            )
            for figure in (*shipped.figures, *COMMON)
            if figure.name not in there
        )  # fmt: skip
        new += len(added)
    for model, own, text in SHIPPED_TEXTS:
        if not model.objects.filter(**own).exists():
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            model.objects.create(
                number=1, text=text, sha256=sha256, effective_from=TEXTS_FROM, approved_by="shipped", approved_at=at,
                **own,
            )  # fmt: skip
            new += 1
    there = set(Product.objects.values_list("code", flat=True))
    new += len(
        Product.objects.bulk_create(
            Product(
                **vars(shipped), citation=citations["eo-13984-5"], state=ProductState.IN_FORCE, proposed_at=at,
                proposed_by="shipped", answered_at=at, answered_by="shipped",
            )
            for shipped in PRODUCTS
            if shipped.code not in there
        )
    )  # fmt: skip
    if new:
        about = RecordRef("policy.regimeprofile", "shipped", "shipped profiles")
        audit.record(Verb.SHIPPED_TAKEN_IN, about, by=by, at=at, rows=new)
