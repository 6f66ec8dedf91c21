from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.formats.addresses import SPECIAL_USE_AS_OF
from accounts.rules import verdicts
from accounts.rules.verdicts import AddressLimits, Answer, AskedList, disagreements, explain, judge, weigh
from kyc_portal.policy.address_figures import ADDRESS_FIGURES

TODAY = date(2026, 3, 2)
FIGURES = {name: Decimal(value) for name, value, _, _ in ADDRESS_FIGURES}
COUNTS = {
    reason: FIGURES[name]
    for reason in (*verdicts.REASONS, "plain")
    if (name := f"address_counts_{reason.replace(' ', '_')}") in FIGURES
}
LIMITS = AddressLimits(COUNTS, 90, 30, Decimal(70), Decimal(40))


def asked(kind, days=1, source="maker"):
    return AskedList(f"RNG-{kind}-{source}", kind, source, TODAY - timedelta(days=days))


PLACES, EXITS = asked("country"), asked("vpn")


def on(*answers, special=""):
    return judge(special, SPECIAL_USE_AS_OF, answers, TODAY, LIMITS)


def weighed(verdict, *answers):
    return weigh(verdict.special_use, verdict.findings, [each.asked for each in answers], TODAY, LIMITS)


class TestJudge:
    def test_each_finding_names_its_list_its_day_and_its_age(self):
        verdict = on(Answer(PLACES, country="DE"), Answer(EXITS, kinds=frozenset({"vpn"})))

        assert (verdict.country, verdict.anonymiser) == ("DE", "vpn")
        assert verdict.findings == (
            {"about": "country", "says": "DE", "list": PLACES.reference, "as_of": "2026-03-01", "age_days": 1},
            {"about": "vpn", "says": "yes", "list": EXITS.reference, "as_of": "2026-03-01", "age_days": 1},
        )

    def test_t20_what_is_not_public_is_called_that_and_nothing_else(self):
        verdict = on(special="documentation")

        assert (verdict.special_use, verdict.country, verdict.confidence) == ("documentation", "", "none")
        assert [each["list"] for each in verdict.findings] == [verdicts.OWN_LIST]

    def test_of_several_databases_the_newest_data_is_followed_and_the_other_kept(self):
        old, new = asked("country", 40, "old"), asked("country", 2, "new")

        verdict = on(Answer(old, country="FR"), Answer(new, country="DE"))

        assert verdict.country == "DE"
        assert [each["says"] for each in verdict.findings] == ["DE", "FR"]
        assert disagreements(verdict.findings) == ("country",)
        assert verdict.confidence == "low"

    def test_lists_of_one_kind_that_disagree_are_shown_doing_so(self):
        other = asked("vpn", 3, "other")
        database = asked("anonymous", 3)

        verdict = on(Answer(EXITS, kinds=frozenset({"vpn"})), Answer(other), Answer(database), Answer(asked("tor")))

        assert verdict.anonymiser == "vpn"
        assert [(each["list"], each["says"]) for each in verdict.findings] == [
            (EXITS.reference, "yes"), (other.reference, "no"), (database.reference, "no"),
        ]  # fmt: skip
        assert disagreements(verdict.findings) == ("vpn",)

    def test_networks_disagree_by_number_and_not_by_spelling(self):
        one, other = asked("asn", 1, "a"), asked("asn", 2, "b")

        same = on(Answer(one, network="AS64500 Example"), Answer(other, network="AS64500 EXAMPLE LTD"))
        apart = on(Answer(one, network="AS64500 Example"), Answer(other, network="AS64501 Example"))

        assert disagreements(same.findings) == () and disagreements(apart.findings) == ("network",)
        assert same.network == "AS64500 Example"

    def test_satellite_and_mobile_hide_nobody(self):
        verdict = on(Answer(PLACES, country="DE"), Answer(asked("satellite"), kinds=frozenset({"satellite"})))

        assert (verdict.anonymiser, verdict.confidence) == ("", "low")

    def test_of_some_kind_is_said_only_when_no_kind_is_known(self):
        database = asked("anonymous")

        assert on(Answer(database, kinds=frozenset({"anonymous"}))).anonymiser == "anonymous"
        assert on(Answer(database, kinds=frozenset({"anonymous", "vpn"}))).anonymiser == "vpn"


class TestWeigh:
    @pytest.mark.parametrize(
        ("answers", "confidence", "weight", "reasons"),
        [
            ([Answer(PLACES, country="DE"), Answer(EXITS)], "high", "1", ()),
            ([Answer(PLACES, country="DE"), Answer(EXITS, kinds=frozenset({"vpn"}))], "low", "0.1", ("vpn",)),
            ([Answer(PLACES, country="DE"), Answer(asked("tor"), kinds=frozenset({"tor"}))], "low", "0.05", ("tor",)),
            (
                [Answer(PLACES, country="DE"), Answer(asked("relay"), kinds=frozenset({"relay"}))],
                "low", "0.2", ("relay",),
            ),
            (
                [Answer(PLACES, country="DE"), Answer(EXITS), Answer(asked("mobile"), kinds=frozenset({"mobile"}))],
                "medium", "0.6", ("mobile",),
            ),
            ([Answer(PLACES, country="DE")], "medium", "0.5", ("unasked",)),
            ([Answer(asked("country", 91), country="DE"), Answer(EXITS)], "medium", "0.5", ("old_place",)),
            ([Answer(asked("country", 90), country="DE"), Answer(EXITS)], "high", "1", ()),
            ([Answer(PLACES, country="DE"), Answer(asked("vpn", 31))], "medium", "0.6", ("old_kinds",)),
            ([Answer(PLACES, country="DE"), Answer(asked("vpn", 31)), Answer(asked("tor", 30))], "high", "1", ()),
            ([Answer(EXITS)], "none", "0", ("no_country",)),
            ([Answer(EXITS, kinds=frozenset({"vpn"}))], "none", "0", ("no_country", "vpn")),
            ([], "none", "0", ("no_list",)),
        ],
    )  # fmt: skip
    def test_every_reason_lowers_it_and_the_weakest_decides(self, answers, confidence, weight, reasons):
        verdict = on(*answers)

        found = weighed(verdict, *answers)

        assert (found.confidence, found.weight, found.reasons) == (confidence, Decimal(weight), reasons)
        assert verdict.confidence == confidence

    def test_several_reasons_do_not_add_up(self):
        answers = [Answer(asked("country", 200), country="DE"), Answer(EXITS, kinds=frozenset({"vpn"}))]

        found = weighed(on(*answers), *answers)

        assert (found.weight, found.reasons) == (Decimal("0.1"), ("vpn", "old_place"))

    def test_it_is_explained_in_sentences(self):
        answers = [Answer(PLACES, country="DE"), Answer(EXITS, kinds=frozenset({"vpn"}))]

        told = explain(weighed(on(*answers), *answers))

        assert told == (
            "Confidence is low: the place is a hint at most. It counts 10 of 100. It is the exit of a VPN: the place "
            "is that of the exit."
        )

    def test_each_kind_and_reason_has_a_sentence_and_each_that_counts_a_figure(self):
        kinds = {*verdicts.LIST_KINDS, *verdicts.ANONYMISING, verdicts.GENERAL}

        assert kinds <= set(verdicts.REASONS)
        assert set(verdicts.REASONS) - set(COUNTS) == {"not_public", "no_list", "no_country"}
        assert all(0 < value <= 100 for value in COUNTS.values())
        assert all(sentence.endswith(".") for sentence in verdicts.REASONS.values())
