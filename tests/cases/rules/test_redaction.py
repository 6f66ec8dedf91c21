import pytest

from cases.rules.disclosure import Recipient
from cases.rules.redaction import BY_GROUND, REDACTIONS, Exemption, FieldClass, Kept, Redaction, UnknownField, redacted


class TestTable:
    def test_every_field_class_is_settled(self):
        assert list(REDACTIONS) == list(FieldClass)

    def test_every_exemption_is_used(self):
        rows = [*REDACTIONS.values(), *BY_GROUND.values()]
        used = {redaction.exemption for row in rows for redaction in row.values()}

        assert used == set(Exemption)


class TestRedacted:
    def test_a_subpoena_reaches_when_and_from_where_and_not_what_was_done(self):
        assert redacted("activity", "law_enforcement", "subpoena").of("compute:RunInstances") == "[redacted L2]"
        assert redacted("network_address", "law_enforcement", "subpoena") is None
        assert redacted("activity", "law_enforcement", "court_order") is None

    @pytest.mark.parametrize(
        ("field_class", "recipient", "code"),
        [
            ("name", "court", None),
            ("birth_date", "court", "P1"),
            ("birth_date", "law_enforcement", None),
            ("identity_number", "court", "P1"),
            ("identity_number", "customer", None),
            ("other_person", "customer", "P2"),
            ("other_person", "law_enforcement", None),
            ("reporter", "customer", "P3"),
            ("staff", "law_enforcement", "P4"),
            ("staff", "regulator", None),
            ("detection", "customer", "S1"),
            ("detection", "law_enforcement", None),
            ("list_match", "customer", "S2"),
            ("list_match", "regulator", None),
            ("note", "customer", "S3"),
            ("note", "regulator", "S3"),
        ],
    )
    def test_it_follows_the_recipient(self, field_class, recipient, code):
        redaction = redacted(field_class, recipient)

        assert (redaction and redaction.exemption) == code

    @pytest.mark.parametrize("recipient", Recipient)
    def test_legal_advice_goes_to_nobody(self, recipient):
        assert redacted("legal_advice", recipient) == Redaction(Exemption.PRIVILEGE)

    @pytest.mark.parametrize(
        ("field_class", "recipient"), [("shoe_size", "court"), ("name", "newspaper"), (None, None)]
    )
    def test_what_nobody_settled_is_refused(self, field_class, recipient):
        with pytest.raises(UnknownField, match="not settled"):
            redacted(field_class, recipient)


class TestWhatStandsInstead:
    @pytest.mark.parametrize(
        ("kept", "text", "shown"),
        [
            (Kept.NOTHING, "Jane Roe", "[redacted P1]"),
            (Kept.LAST_FOUR, "L898902C3", "…02C3 [redacted P1]"),
            (Kept.LAST_FOUR, "12345678", "[redacted P1]"),
            (Kept.LAST_FOUR, "123", "[redacted P1]"),
            (Kept.YEAR, "1974-08-12", "1974 [redacted P1]"),
            (Kept.YEAR, "12 August 1974", "[redacted P1]"),
            (Kept.YEAR, "", "[redacted P1]"),
        ],
    )
    def test_it_keeps_only_what_the_rule_keeps(self, kept, text, shown):
        assert Redaction(Exemption.FILING_PRIVACY, kept).of(text) == shown
