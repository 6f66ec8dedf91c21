import pytest

from cases.rules.disclosure import (
    GROUNDS,
    DataClass,
    Ground,
    NotCovered,
    Recipient,
    hands_over,
    may_include,
    may_receive,
    require_ground,
)


class TestTable:
    def test_every_ground_has_a_row_and_a_paper(self):
        assert list(GROUNDS) == list(Ground)
        assert all(rule.paper for rule in GROUNDS.values())

    def test_who_receives_something_and_what_go_together(self):
        assert all(bool(rule.recipients) == bool(rule.data_classes) for rule in GROUNDS.values())

    def test_whatever_is_handed_over_can_be_proven(self):
        proof = {DataClass.CUSTODY, DataClass.AUDIT}

        assert all(proof <= rule.data_classes for ground, rule in GROUNDS.items() if hands_over(ground))


class TestMayInclude:
    @pytest.mark.parametrize(
        ("ground", "data_class", "allowed"),
        [
            ("subpoena", "subscriber", True),
            ("subpoena", "access", True),
            ("subpoena", "identity", False),
            ("subpoena", "content", False),
            ("court_order", "identity", True),
            ("court_order", "notes", False),
            ("court_order", "content", False),
            ("search_warrant", "content", True),
            ("emergency", "identity", True),
            ("emergency", "screening", False),
            ("customer_request", "decisions", True),
            ("customer_request", "screening", False),
            ("customer_request", "risk", False),
            ("regulator_request", "verification", True),
            ("regulator_request", "content", False),
            ("curiosity", "subscriber", False),
            ("subpoena", "everything", False),
            (None, None, False),
        ],
    )
    def test_it_follows_the_ground(self, ground, data_class, allowed):
        assert may_include(ground, data_class) is allowed

    @pytest.mark.parametrize("data_class", DataClass)
    def test_r111_a_preservation_hands_nothing_over(self, data_class):
        assert not may_include("preservation", data_class)
        assert not hands_over("preservation")

    def test_content_goes_only_on_a_warrant(self):
        assert [ground for ground in Ground if may_include(ground, DataClass.CONTENT)] == [Ground.SEARCH_WARRANT]

    def test_the_customer_receives_only_on_their_own_word(self):
        grounds = [ground for ground in Ground if may_receive(ground, Recipient.CUSTOMER)]

        assert grounds == [Ground.CONSENT, Ground.CUSTOMER_REQUEST]
        assert not may_receive("curiosity", "customer")


class TestRequireGround:
    def test_it_returns_the_row_of_a_ground_that_covers_all(self):
        rule = require_ground("subpoena", recipient="law_enforcement", data_classes=["subscriber", "access", "custody"])

        assert rule is GROUNDS[Ground.SUBPOENA]

    @pytest.mark.parametrize(
        ("ground", "recipient", "data_classes", "words"),
        [
            (None, "court", ["subscriber"], "Choose the ground first"),
            ("", "court", [], "Choose the ground first"),
            ("curiosity", "court", ["subscriber"], "Choose the ground first"),
            ("preservation", "law_enforcement", [], "preservation request hands nothing over"),
            ("emergency", "customer", ["subscriber"], "allows only: law enforcement"),
            ("subpoena", "newspaper", ["subscriber"], "allows only: court, law enforcement, regulator"),
            ("subpoena", "court", ["risk", "notes"], "does not cover: risk signals and scores, internal notes"),
            ("subpoena", "court", ["everything"], "does not cover: an unknown class of data"),
        ],
    )
    def test_r113_it_refuses_and_says_what_is_missing(self, ground, recipient, data_classes, words):
        with pytest.raises(NotCovered, match=words):
            require_ground(ground, recipient=recipient, data_classes=data_classes)
