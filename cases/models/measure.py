"""Special measures of the Secretary, whom they hit, what was weighed, and who is taken out of one for a time."""

import uuid
from functools import partial

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django_countries.fields import CountryField

from accounts.models import Restriction
from accounts.models.account import ENDED_STATUSES, WAITING_STATUSES
from cases.rules.measure_stages import (
    LIVE,
    Action,
    EndedWhy,
    FactorCode,
    JudgedWhy,
    Judgement,
    MeasureKind,
    MeasureState,
    OverrideGround,
    OverrideState,
    Strength,
)
from cases.rules.measures import sentences
from kyc_portal.records.recorded import Recorded, RecordedQuerySet
from kyc_portal.records.refs import new_reference
from kyc_portal.records.sealed import SealedTextField


class SpecialMeasureQuerySet(RecordedQuerySet):
    def live(self):
        """Those that are in effect or may still come into effect."""
        return self.filter(state__in=[state.value for state in LIVE])

    def to_confirm(self):
        return self.filter(state=MeasureState.RECORDED.value)

    def in_effect(self):
        return self.filter(state=MeasureState.IN_EFFECT.value)

    def due(self, on):
        """Confirmed ones whose first day has come (R93)."""
        return self.filter(state=MeasureState.CONFIRMED.value, effective_on__lte=on, expires_on__gte=on)

    def ran_out(self, on):
        """Those whose last day is past: in effect, or never brought into effect in all their time (R94)."""
        begun = [MeasureState.IN_EFFECT.value, MeasureState.CONFIRMED.value]
        return self.filter(state__in=begun, expires_on__lt=on)

    def binding_on(self, on):
        """Those that forbid openings on a day: from their first day on, even before anything else was done."""
        begun = [MeasureState.IN_EFFECT.value, MeasureState.CONFIRMED.value]
        return self.filter(state__in=begun, effective_on__lte=on, expires_on__gte=on)

    def to_review(self):
        """Those that are over while nobody has looked at what they restricted (R97)."""
        return self.filter(state=MeasureState.OVER.value)


class SpecialMeasure(Recorded):
    """A determination that bars or conditions accounts, by place or by person (proposed 15 CFR 7.307)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SPM"), editable=False)
    kind = models.CharField(max_length=12, choices=MeasureKind.choices())
    country = CountryField(blank=True, help_text="The jurisdiction.")
    party = models.ForeignKey(
        "accounts.Party", null=True, blank=True, on_delete=models.PROTECT, related_name="special_measures"
    )
    action = models.CharField(max_length=10, choices=Action.choices())
    strength = models.CharField(max_length=12, choices=Strength.choices())
    title = models.CharField(max_length=150)
    source = models.CharField(max_length=200, help_text="Where it was published.")
    text = models.TextField(help_text="The words of the determination.")
    terms = models.TextField(blank=True, help_text="On which terms accounts are allowed.")
    state = models.CharField(max_length=10, choices=MeasureState.choices(), default=MeasureState.RECORDED.value)
    determined_on = models.DateField()
    effective_on = models.DateField(help_text="The first day.")
    expires_on = models.DateField(help_text="The last day.")
    extensions = models.JSONField(default=list, help_text="Of each: when, by whom, from and through which day.")
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=150)
    recorded_by_key = models.CharField(max_length=80)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    in_effect_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True, help_text="When everybody was last looked at.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=EndedWhy.choices(), blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.CharField(max_length=150, blank=True)

    objects = SpecialMeasureQuerySet.as_manager()

    class Meta:
        verbose_name = "special measure"
        indexes = [models.Index(fields=["state", "effective_on"], name="measure_state")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in MeasureState]), name="measure_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="jurisdiction", party__isnull=True) & ~Q(country="")
                | Q(kind="person", party__isnull=False, country=""),
                name="measure_names_place_or_person",
            ),
            models.CheckConstraint(
                condition=Q(effective_on__gt=F("determined_on"), expires_on__gt=F("effective_on")),
                name="measure_days_in_order",
            ),
        ]
        permissions = [
            ("handle_measure", "Can record, confirm, extend and withdraw special measures"),
            ("review_measure", "Can review what a special measure restricted once it is over"),
        ]

    def __str__(self):
        return self.reference

    @property
    def is_in_effect(self) -> bool:
        return self.state == MeasureState.IN_EFFECT


class MeasureFactor(Recorded):
    """What was weighed about one factor of the order; kept with the measure (R96)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    measure = models.ForeignKey(SpecialMeasure, on_delete=models.PROTECT, related_name="factors")
    factor = models.CharField(max_length=20, choices=FactorCode.choices())
    note = SealedTextField(under="measure_id")
    noted_at = models.DateTimeField()
    noted_by = models.CharField(max_length=150)

    class Meta:
        verbose_name = "factor of a special measure"
        verbose_name_plural = "factors of special measures"

    def __str__(self):
        return f"{self.get_factor_display()} ({self.measure})"


def _standing():
    """A restriction that rests on the hit's measure."""
    return Restriction.objects.in_force().filter(account=OuterRef("account"), basis=OuterRef("measure__reference"))


def _overriding(on):
    return MeasureOverride.objects.standing_on(on).filter(hit=OuterRef("pk"))


class MeasureHitQuerySet(RecordedQuerySet):
    def applying(self):
        """Whom the measure means: judged so, or not judged yet and found by evidence that decides."""
        by_itself = Q(judgement=Judgement.OPEN.value, decides=True)
        return self.filter(Q(judgement=Judgement.APPLIES.value) | by_itself, gone_at__isnull=True)

    def to_restrict(self, on):
        """What the measure demands on a day and nobody did yet: open accounts without a restriction resting on it."""
        used = self.applying().exclude(account__status__in=[*ENDED_STATUSES, *WAITING_STATUSES])
        return used.exclude(Exists(_standing())).exclude(Exists(_overriding(on)))

    def to_refuse(self, on):
        """Prospects that must not be opened on a day."""
        return self.applying().filter(account__status__in=WAITING_STATUSES).exclude(Exists(_overriding(on)))

    def to_release(self, on):
        """Restricted by their measure and judged free of it, or overridden on that day."""
        free = Q(judgement__in=[Judgement.NOT.value, Judgement.TERMS_MET.value]) | Exists(_overriding(on))
        return self.filter(free).filter(Exists(_standing()))

    def restricted(self):
        return self.filter(Exists(_standing()))

    def to_judge(self):
        """Hits of live measures that nobody judged; what was found lately first is the screen's order."""
        live = [state.value for state in LIVE]
        open_hits = self.filter(judgement=Judgement.OPEN.value, proposal="", measure__state__in=live)
        return open_hits.filter(account__closed_at__isnull=True)

    def to_agree(self):
        live = [state.value for state in LIVE]
        return self.exclude(proposal="").filter(measure__state__in=live)


class MeasureHit(Recorded):
    """An account that a measure may mean, with what ties it to the measure and what people found (R95)."""

    recorded_in_bulk = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SMH", 12), editable=False)
    measure = models.ForeignKey(SpecialMeasure, on_delete=models.PROTECT, related_name="hits")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="measure_hits")
    evidence = models.JSONField(default=list, help_text="Codes, references and counts.")
    decides = models.BooleanField(help_text="Found by evidence that restricts by itself.")
    found_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Since when nothing ties it to the measure.")
    judgement = models.CharField(max_length=10, choices=Judgement.choices(), default=Judgement.OPEN.value)
    proposal = models.CharField(
        max_length=10, choices=Judgement.choices(), blank=True, help_text="What waits for a second person."
    )
    why = models.CharField(max_length=12, choices=JudgedWhy.choices(), blank=True)
    proposed_by = models.CharField(max_length=150, blank=True)
    proposed_by_key = models.CharField(max_length=80, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)

    objects = MeasureHitQuerySet.as_manager()

    class Meta:
        verbose_name = "hit of a special measure"
        verbose_name_plural = "hits of special measures"
        indexes = [models.Index(fields=["judgement", "-found_at"], name="measure_hit_queue")]
        constraints = [
            models.UniqueConstraint(fields=["measure", "account"], name="one_hit_per_measure_and_account"),
            models.CheckConstraint(
                condition=Q(judgement__in=[each.value for each in Judgement]), name="measure_hit_judgement_known"
            ),
        ]
        permissions = [("judge_measurehit", "Can judge whether a special measure applies to an account")]

    def __str__(self):
        return self.reference

    @property
    def state(self) -> str:
        """Where it stands, by the name under which the policy table asks."""
        return self.judgement

    @property
    def sentences(self) -> list[str]:
        """Why it was found, what decides first."""
        return sentences(self.evidence)


class MeasureOverrideQuerySet(RecordedQuerySet):
    def live(self):
        """Proposed or agreed, and not ended."""
        return self.filter(state__in=[OverrideState.PROPOSED.value, OverrideState.AGREED.value])

    def standing_on(self, on):
        return self.filter(state=OverrideState.AGREED.value, from_on__lte=on, to_on__gte=on)


class MeasureOverride(Recorded):
    """Takes one account out of an overridable measure, from a day through a day, on a ground, by two people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True, default=partial(new_reference, "SMO"), editable=False)
    hit = models.ForeignKey(MeasureHit, on_delete=models.PROTECT, related_name="overrides")
    ground = models.CharField(max_length=12, choices=OverrideGround.choices())
    from_on = models.DateField()
    to_on = models.DateField()
    state = models.CharField(max_length=10, choices=OverrideState.choices(), default=OverrideState.PROPOSED.value)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    proposed_by_key = models.CharField(max_length=80)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)

    objects = MeasureOverrideQuerySet.as_manager()

    class Meta:
        verbose_name = "override of a special measure"
        verbose_name_plural = "overrides of special measures"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in OverrideState]), name="measure_override_state_known"
            ),
            models.CheckConstraint(condition=Q(to_on__gte=F("from_on")), name="measure_override_days_in_order"),
        ]

    def __str__(self):
        return self.reference
