"""Parts of the pages of special measures, and what an account's page says of them."""

from django.urls import reverse

from accounts.models import Account
from cases.flows import measure_effects
from cases.models import MeasureFactor, MeasureHit, MeasureOverride, SpecialMeasure
from cases.rules.measure_stages import Action, Judgement, MeasureState, OverrideState
from kyc_portal.records.sealed import MASK
from kyc_portal.staff import policy_table
from kyc_portal.staff.sections import Badge, Facts, Html, Link, Table

DRY_RUN, DRY_RUN_FILE = "admin:cases_specialmeasure_dry_run", "admin:cases_specialmeasure_dry_run_file"
MOST_LISTED = 50
MOST_MEASURES = 20
LONGEST_TEXT = 1_000

TONES = {
    MeasureState.RECORDED: "warning",
    MeasureState.CONFIRMED: "info",
    MeasureState.IN_EFFECT: "danger",
    MeasureState.OVER: "warning",
    MeasureState.REVIEWED: "info",
    MeasureState.CLOSED: "",
    MeasureState.WITHDRAWN: "",
}
JUDGEMENT_TONES = {
    Judgement.OPEN: "warning",
    Judgement.APPLIES: "danger",
    Judgement.NOT: "good",
    Judgement.TERMS_MET: "good",
}
OVERRIDE_TONES = {
    OverrideState.PROPOSED: "warning",
    OverrideState.AGREED: "good",
    OverrideState.DECLINED: "",
    OverrideState.ENDED: "",
}


def judgement_badge(hit: MeasureHit) -> Badge:
    """What was found of a hit, and whether something about it waits."""
    if hit.proposal:
        return Badge(f"proposed: {hit.get_proposal_display()}", "warning")
    return Badge(hit.get_judgement_display(), JUDGEMENT_TONES[Judgement(hit.judgement)])


def means(measure: SpecialMeasure):
    """The place or the person, as a cell."""
    return Link(measure.party.legal_name, measure.party) if measure.party_id else measure.country.name


def words_section(measure: SpecialMeasure) -> Facts:
    """What was determined, in its own words."""
    rows = [
        ("By", measure.get_kind_display().removeprefix("by ")), ("Means", means(measure)),
        ("Demands", measure.get_action_display()), ("Terms", measure.terms),
        ("Override", measure.get_strength_display()), ("Published in", measure.source),
    ]  # fmt: skip
    note = "The rule of 2024 on special measures (15 CFR 7.307) is proposed and binds nobody by itself."
    return Facts("words", "The determination", [row for row in rows if row[1]], note=note)


def text_section(measure: SpecialMeasure) -> Html:
    """The words of the determination as published, over the whole width."""
    return Html("text", "Its words", "cases/measure_text.html", {"text": measure.text})


def hits_section(measure: SpecialMeasure) -> Table:
    """The hits found last, with why and what was judged."""
    found = measure.hits.select_related("account").order_by("-found_at", "pk")[:MOST_LISTED]
    rows = [
        [
            Link(hit.reference, hit), Link(hit.account.reference, hit.account), hit.account.get_status_display(),
            " ".join(hit.sentences) or "Nothing ties it to the measure any more.", judgement_badge(hit),
        ]
        for hit in found
    ]  # fmt: skip
    url = f"{reverse('admin:cases_measurehit_changelist')}?measure__id__exact={measure.pk}"
    empty = "Nobody is hit." if measure.computed_at else "Nobody was looked for yet; a worker does it within a minute."
    note = f"Everybody was looked at on {measure.computed_at:%-d %b %Y at %H:%M} UTC." if measure.computed_at else ""
    head = ["Hit", "Account", "State", "Why", "Judged"]
    return Table("measure-hits", "Hits", head, rows, empty=empty, note=note, url=url, url_label="All hits")


def dry_run_section(measure: SpecialMeasure, *, today) -> Facts:
    """How many accounts would be restricted, and the way to the list."""
    day = measure_effects.day_of_dry_run(measure, today)
    restricted = measure_effects.would_restrict(measure, today=today).count()
    refused = measure_effects.would_refuse(measure, today=today).count()
    done = measure_effects.DONE_IN_WORDS[Action(measure.action)]
    if measure.computed_at is None:
        return Facts("dry-run", "Dry run", [], note="Nobody was looked for yet; a worker does it within a minute.")
    rows = [
        (f"Accounts that would be {done}", f"{restricted:,}"),
        ("Prospects that would not be opened", f"{refused:,}"),
        ("Accounts restricted now", f"{measure.hits.restricted().count():,}"),
    ]
    note = f"As things stand, on {day:%-d %b %Y}. Nothing is changed by looking."
    return Facts(
        "dry-run", "Dry run", rows, note=note, url=reverse(DRY_RUN, args=[measure.pk]), url_label="See the list"
    )


def dry_run_table(measure: SpecialMeasure, *, today, most: int) -> Table:
    """The first accounts of the dry run."""
    done, rows = measure_effects.DONE_IN_WORDS[Action(measure.action)], []
    found = (
        (measure_effects.would_restrict(measure, today=today), done),
        (measure_effects.would_refuse(measure, today=today), "refused"),
    )
    for hits, what in found:
        for hit in hits[: most - len(rows)]:
            reference, state, what_done, hit_reference, judged, why = measure_effects.row_of(hit, what)
            rows.append([Link(reference, hit.account), state, what_done, Link(hit_reference, hit), judged, why])
    note = f"The first {most}; the file has all." if len(rows) == most else ""
    return Table("dry-run-list", "Accounts", measure_effects.HEAD, rows, empty="Nobody would be touched.", note=note)


def factors_section(measure: SpecialMeasure, user) -> Table:
    """What was weighed, factor by factor (R96)."""
    may_read = policy_table.may_see(user, "cases.measurefactor", "note")
    rows = [
        [row.get_factor_display(), row.note.reveal() if may_read else MASK, row.noted_by, row.noted_at]
        for row in MeasureFactor.objects.filter(measure=measure).order_by("factor", "noted_at", "pk")[:MOST_LISTED]
    ]
    head = ["Factor", "What was weighed", "By", "On"]
    empty = "Nothing was noted of what the order asks to weigh (section 2(b) and (c))."
    return Table("factors", "What was weighed", head, rows, empty=empty)


def extensions_sections(measure: SpecialMeasure) -> list[Table]:
    """How often it was extended; nothing while it was not."""
    rows = [[row["at"][:10], row["by"], row["from"], row["through"]] for row in measure.extensions]
    return [Table("extensions", "Extensions", ["On", "By", "Lasted through", "Lasts through"], rows)] if rows else []


def overrides_section(hits) -> Table:
    """The overrides of some hits, the newest first."""
    found = MeasureOverride.objects.filter(hit__in=hits).select_related("hit").order_by("-proposed_at", "pk")
    rows = [
        [
            row.reference, Link(row.hit.reference, row.hit), row.get_ground_display(), row.from_on, row.to_on,
            Badge(row.get_state_display(), OVERRIDE_TONES[OverrideState(row.state)]),
            ", ".join(filter(None, [row.proposed_by, row.answered_by])),
        ]
        for row in found[:MOST_LISTED]
    ]  # fmt: skip
    head = ["Override", "Hit", "Ground", "From", "Through", "State", "By"]
    return Table("overrides", "Overrides", head, rows, empty="Nobody is taken out of it.")


def measures_of_account(account: Account, *, user, at) -> list[Table]:
    """For the page of an account: the measures that hit it, with their words."""
    if not user.has_perm(policy_table.right_to_see("cases.measurehit")):
        return []
    found = account.measure_hits.select_related("measure").order_by("-found_at", "pk")[:MOST_MEASURES]
    rows = [
        [
            Link(hit.measure.reference, hit.measure), shortened(f"{hit.measure.title}: {hit.measure.text}"),
            Badge(hit.measure.get_state_display(), TONES[MeasureState(hit.measure.state)]),
            f"{hit.measure.effective_on:%-d %b %Y} to {hit.measure.expires_on:%-d %b %Y}",
            Link(judgement_badge(hit), hit), " ".join(hit.sentences),
        ]
        for hit in found
    ]  # fmt: skip
    head = ["Measure", "Its words", "State", "In effect", "Hit", "Why"]
    return [Table("measures", "Special measures", head, rows, empty="No special measure means this account.")]


def shortened(text: str) -> str:
    """The beginning of a long text; the whole stands on the measure's page."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
