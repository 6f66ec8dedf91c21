"""Details put right: what changes, what stays, who is told (R10, R13)."""

from datetime import date

import pytest

from accounts.flows import corrections
from accounts.flows.texts import BadField
from accounts.models import Party
from kyc_portal.records import audit
from tests.builders import make_party
from tests.conftest import NOON


class TestCorrect:
    def test_it_replaces_what_is_given_and_leaves_the_rest(self, db, analyst):
        party = make_party(legal_name="Maria Exampel", citizenship="DE", birth_date=date(1985, 5, 17))

        changed = corrections.correct(
            party, legal_name="Maria Example", birth_date=date(1985, 5, 18), citizenship="", by=analyst, at=NOON
        )

        party = Party.objects.get(pk=party.pk)
        assert set(changed) == {"legal_name", "birth_date"}
        assert party.legal_name == "Maria Example" and party.citizenship == "DE"
        assert party.birth_date.reveal() == "1985-05-18"

    def test_the_old_name_is_kept_and_screened_as_a_former_one(self, db, analyst):
        party = make_party(legal_name="Old Name")

        corrections.correct(party, legal_name="New Name", by=analyst, at=NOON)

        assert party.names.get().name == "Old Name" and party.names.get().kind == "former"

    def test_the_trail_names_the_fields_and_no_value(self, db, analyst):
        party = make_party()

        corrections.correct(party, national_id="X 123", by=analyst, at=NOON)

        event = audit.history_of(party).first()
        assert audit.as_sentence(event).endswith("national id") and "123" not in str(event.facts)

    def test_the_same_again_is_refused(self, db, analyst):
        party = make_party(legal_name="Maria Example")

        with pytest.raises(corrections.NothingToCorrect, match="already"):
            corrections.correct(party, legal_name="Maria Example", by=analyst, at=NOON)

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"birth_date": date(1850, 1, 1)}, "Birth date"),
            ({"legal_name": "a\u202eb"}, "Legal name"),
            ({"citizenship": "ZZ"}, "Citizenship"),
        ],
    )
    def test_bad_input_names_its_field_and_changes_nothing(self, db, analyst, given, field):
        party = make_party(legal_name="Maria Example")

        with pytest.raises(BadField, match=field):
            corrections.correct(party, by=analyst, at=NOON, **given)

        assert Party.objects.get(pk=party.pk).legal_name == "Maria Example"
