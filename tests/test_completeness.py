"""Lists that must not have holes: retention, verbs, roles, the beat table, detectors, notices, constraints, tiles."""

import inspect
import re
from collections import Counter
from datetime import date, timedelta
from typing import get_args, get_type_hints

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import models
from django.template import engines
from django.template.base import Template as ParsedTemplate
from django.template.loader import get_template
from django.urls import reverse

from accounts.rules.detectors import DETECTORS
from kyc_portal.celery import BEAT_SCHEDULE, app
from kyc_portal.notices.kinds import KINDS, fields_of
from kyc_portal.records import retention
from kyc_portal.records.verbs import REGISTERED, sentence_of
from kyc_portal.staff import site
from kyc_portal.staff.roles import ROLES, SEPARATED, DutiesNotSeparated, require_separation

OUR_APPS = ("accounts", "resellers", "cases", "records", "work", "policy", "notices", "staff", "api")
OUR_MODELS = [model for name in OUR_APPS for model in apps.get_app_config(name).get_models()]
by_label = pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model._meta.label)

# What an audit event may say: codes, counts, days, names of fields and references; never a value of somebody's data.
ALLOWED_FACTS = {
    "account", "aliases", "answer", "answer_by", "appeal", "as_of", "basis", "batch", "bundle", "case", "changed",
    "check", "cip", "citation", "code", "conclusion", "count", "country", "day", "decision", "destroyed", "digest",
    "document", "due_on", "earlier", "effective_from", "entries", "error", "failed", "field", "fields", "figure",
    "file", "files", "forced", "from_on", "gone", "ground", "has_control", "hit", "hits", "hold", "how", "items",
    "judgement", "key", "key_id", "kind", "known", "last_day", "link", "list", "manager", "matched", "measure",
    "method", "missing", "new", "next_review", "number", "objection", "old", "outcome", "override", "owner", "party",
    "payloads", "percent", "public_key", "read", "reason", "reference", "refused", "regime", "report", "request",
    "reseller", "restriction", "rests_on", "result", "row", "rows", "rule", "same", "scopes", "score", "sha256",
    "shown", "signal", "source", "state", "status", "strong", "through", "tier", "to", "to_on", "trigger", "until",
    "verification", "version", "waiting", "warnings", "what", "why",
}  # fmt: skip
NAMES_OF_PERSONAL_DATA = re.compile(r"name|e?mail|phone|address|birth|national|passport|card|iban|wallet|text|note")
ARGUMENTS_OF_RECORD = {"verb", "about", "by", "at", "within", "personal", "subject"}


ALL_MODELS = apps.get_models(include_auto_created=True)


class TestRetention:
    @pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model._meta.label)
    def test_it_covers_each_model_exactly_once(self, model):
        covering = [rule.code for rule in retention.all_rules() if model in rule.covers]

        assert len(covering) == 1, f"{model._meta.label} stands in {covering or 'no rule'}"

    @pytest.mark.parametrize("rule", retention.all_rules(), ids=lambda rule: rule.code)
    def test_a_rule_that_purges_says_all_it_must(self, rule):
        parts = [rule.periods, rule.guarded, rule.contents, rule.subjects]

        assert rule.why.endswith("."), "say why, in a sentence"
        assert all(parts) if rule.candidates else not any(parts)


class TestVerbs:
    @pytest.mark.parametrize("verb", REGISTERED.values(), ids=lambda verb: verb.code)
    def test_it_has_a_sentence_with_allowed_facts(self, verb):
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", verb.code)
        assert verb.sentence and not verb.sentence.endswith(".")
        assert verb.facts <= ALLOWED_FACTS, "not on the list of what an event may say"
        assert not verb.facts & ARGUMENTS_OF_RECORD
        assert "{" not in sentence_of(verb.code, {})

    def test_the_list_itself_names_no_personal_data(self):
        assert [fact for fact in sorted(ALLOWED_FACTS) if NAMES_OF_PERSONAL_DATA.search(fact)] == []

    @pytest.mark.parametrize("fact", ["name", "legal_name", "email", "phone", "address", "birth_date", "wallet"])
    def test_the_pattern_finds_what_it_should(self, fact):
        assert NAMES_OF_PERSONAL_DATA.search(fact)


class TestRoles:
    @pytest.mark.django_db
    @pytest.mark.parametrize("role", ROLES)
    def test_each_permission_exists(self, role):
        known = {
            f"{app_label}.{codename}"
            for app_label, codename in Permission.objects.values_list("content_type__app_label", "codename")
        }

        assert sorted(set(ROLES[role]) - known) == []

    def test_separated_roles_exist_and_do_not_overlap(self):
        for one, others in SEPARATED:
            assert (one | others) <= set(ROLES)
            assert not one & others

    @pytest.mark.parametrize(("one", "others"), SEPARATED, ids=lambda roles: min(roles))
    def test_each_pair_is_refused(self, one, others):
        for first in one:
            for second in others:
                with pytest.raises(DutiesNotSeparated, match="One person cannot be"):
                    require_separation([first, second])

    def test_an_auditor_only_looks(self):
        acts = [name for name in ROLES["auditor"] if not name.partition(".")[2].startswith("view_")]

        only_read = {"staff.see_everything", "accounts.download_document"}
        assert set(acts) == only_read | {"staff.review_breakglass"}  # their signature under what they looked at


class TestBeatTable:
    @pytest.mark.parametrize("title", BEAT_SCHEDULE)
    def test_each_entry_names_a_task_that_takes_a_moment(self, title):
        app.autodiscover_tasks(force=True)

        task = app.tasks[BEAT_SCHEDULE[title]["task"]]

        assert inspect.signature(task.run).parameters["at"].default is None
        assert inspect.getdoc(task.run)


class TestDetectors:
    @pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.code)
    def test_its_docstring_is_what_staff_read(self, detector):
        assert len(inspect.getdoc(detector.function) or "") > 20

    def test_codes_are_unique(self):
        assert Counter(detector.code for detector in DETECTORS).most_common(1)[0][1] == 1


SAMPLES = {str: "Wörter & <Zeichen>", date: date(2026, 3, 2), tuple[str, ...]: ("a passport", "an address")}


def sample_of(kind: type):
    """A notice with something in every field."""
    hints = get_type_hints(kind)
    plain = {name: next((part for part in get_args(hint) if part in SAMPLES), hint) for name, hint in hints.items()}
    return kind(**{name: SAMPLES[hint if hint in SAMPLES else hints[name]] for name, hint in plain.items()})


def variables_of(template: ParsedTemplate) -> set[str]:
    """The variables a template takes from outside; those of its own loops are left out."""
    source = template.template.source
    inner = set(re.findall(r"{%\s*for (\w+) in", source))
    used = re.findall(r"{{\s*(\w+)", source) + re.findall(r"{%\s*(?:if|elif)\s+(?:not\s+)?(\w+)", source)
    return {*used, *re.findall(r"{%\s*for \w+ in (\w+)", source)} - inner


class TestNotices:
    @pytest.mark.parametrize("code", KINDS)
    @pytest.mark.parametrize("part", ["subject", "body"])
    def test_both_wordings_use_their_own_fields_only(self, code, part):
        kind, template = KINDS[code], get_template(f"notices/{code}.{part}.txt")

        shown = template.render({**fields_of(sample_of(kind)), "provider": "Example Cloud"})

        assert variables_of(template) <= {*get_type_hints(kind), "provider"}
        assert "{" not in shown and "&amp;" not in shown and "None" not in shown
        assert part == "body" or "\n" not in shown.strip()

    @pytest.mark.parametrize("code", KINDS)
    def test_no_field_goes_unused(self, code):
        used = {
            name for part in ("subject", "body") for name in variables_of(get_template(f"notices/{code}.{part}.txt"))
        }

        assert set(get_type_hints(KINDS[code])) <= used

    def test_the_parser_of_these_tests_finds_variables(self):
        template = engines["django"].from_string("{{ a }}{% if b %}{% for c in d %}{{ c.e }}{% endfor %}{% endif %}")

        template.template.source = "{{ a }}{% if b %}{% for c in d %}{{ c.e }}{% endfor %}{% endif %}"

        assert variables_of(template) == {"a", "b", "d"}


class TestModels:
    @by_label
    def test_its_name_is_readable(self, model):
        one, many = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)

        assert one == one.lower() or one.startswith(("CIP", "API"))
        assert not re.search(r"([^aeiou]y|s|ch|x)s$", many), many
        assert one != many

    @by_label
    def test_its_docstring_says_what_it_is(self, model):
        assert model.__doc__ and not model.__doc__.startswith(f"{model.__name__}(")

    @by_label
    def test_no_row_is_shown_by_its_class_name(self, model):
        assert model.__str__ is not models.Model.__str__

    @by_label
    def test_each_state_is_guarded_by_the_database_where_the_model_says_so(self, model):
        guards = [each for each in model._meta.constraints if isinstance(each, models.CheckConstraint)]
        for field in model._meta.local_concrete_fields:
            for name, values in (leaf for each in guards for leaf in each.condition.children if type(leaf) is tuple):
                if name == f"{field.name}__in":
                    assert set(values) == {value for value, _ in field.choices}, f"{field.name}: they differ"


@pytest.mark.django_db
class TestTiles:
    def test_each_leads_somewhere_and_names_a_permission(self):
        known = {
            f"{app_label}.{codename}"
            for app_label, codename in Permission.objects.values_list("content_type__app_label", "codename")
        }

        for tile in site._TILES:
            assert reverse(tile.url).startswith("/admin/")
            assert tile.permission in known
            assert tile.tone in {"info", "warning", "danger", "good", ""}
            assert tile.sentence.endswith(".")
            assert any(tile.permission in permissions for permissions in ROLES.values())

    def test_each_gives_rows(self, analyst_user):
        today = date(2026, 3, 2) + timedelta(days=1)

        assert [tile.rows(user=analyst_user, today=today).count() for tile in site._TILES] == [0] * len(site._TILES)
