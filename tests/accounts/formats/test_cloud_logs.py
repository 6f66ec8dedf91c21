"""Azure, Google Cloud and OpenStack logs: what each field becomes, and that nothing is lost (T23)."""

import io
import json
from datetime import UTC, datetime

import pytest

from accounts.formats import azure_activity, cadf, gcp_audit
from accounts.formats.access_lines import AccessFileRefused, AccessLine, BadLine
from tests.accounts.formats.cloud_logs import SUBSCRIPTION, cadf_event, entry, enveloped, exported, listed

AT = datetime(2026, 3, 1, 10, 0, 1, 123456, tzinfo=UTC)
READERS = {"azure": azure_activity.read, "gcp": gcp_audit.read, "cadf": cadf.read}
SAMPLES = {"azure": exported, "gcp": entry, "cadf": cadf_event}


def read(format, content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(READERS[format](io.BytesIO(raw), "log.json"))


def one(format, event):
    [found] = read(format, event)
    return found


class TestAzureActivity:
    def test_an_export(self):
        found = one("azure", {"records": [exported(callerIpAddress="203.0.113.7:50123")]})

        assert found._replace(sent="") == AccessLine(
            line=1, event_id=found.event_id, at=AT, kind="admin", action="MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
            principal="anna@customer.example", address="203.0.113.7", raw_source="203.0.113.7:50123",
            source_system="azure-activity", account=SUBSCRIPTION, region="global", port=50_123,
        )  # fmt: skip

    def test_a_list_of_the_interface(self):
        found = one("azure", {"value": [listed()], "nextLink": "x"})

        assert (found.event_id, found.at, found.principal) == ("d-1", AT, "anna@customer.example")
        assert (found.address, found.account) == ("203.0.113.7", SUBSCRIPTION)
        assert found.action == "Microsoft.Compute/virtualMachines/write"

    def test_lines_and_arrays_and_pages_one_after_the_other(self):
        lines = b"\n".join(json.dumps(exported(correlationId=f"c{n}")).encode() for n in range(3))
        pages = b"\n".join(json.dumps({"records": [exported(), exported()]}).encode() for _ in range(2))

        assert [line.line for line in read("azure", lines)] == [1, 2, 3]
        assert [line.line for line in read("azure", pages)] == [1, 2, 3, 4]
        assert len(read("azure", [listed(), listed()])) == 2

    def test_a_record_without_an_identifier_gets_one_of_its_content(self):
        first, same, other = read("azure", [exported(), exported(), exported(resultType="Success")])

        assert first.event_id == same.event_id != other.event_id
        assert first.event_id.startswith("c-1:") and len(first.event_id) == 36

    @pytest.mark.parametrize(
        ("event", "kind"),
        [
            (exported(operationName="MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION"), "admin"),
            (exported(operationName="Microsoft.KeyVault/vaults/read"), "access"),
            (exported(operationName="Sign-in activity", category="SignInLogs"), "access"),
            (exported(category="Policy"), "admin"),
            (listed(operationName={"value": "Microsoft.Web/sites/READ"}), "access"),
        ],
    )
    def test_reads_and_sign_ins_are_access(self, event, kind):
        assert one("azure", [event]).kind == kind

    @pytest.mark.parametrize(
        ("event", "source"),
        [
            (exported(callerIpAddress=None), ""),
            (exported(callerIpAddress="Azure"), "Azure"),
            (exported(callerIpAddress=None, identity={"claims": {"ipaddr": "192.0.2.1"}}), "192.0.2.1"),
            (listed(httpRequest=None), "198.51.100.9"),
        ],
    )
    def test_t23_where_the_source_is_looked_for(self, event, source):
        assert one("azure", [event]).raw_source == source

    @pytest.mark.parametrize(
        ("event", "says"),
        [
            (exported(time=None), "lacks time"), (exported(time=5), "time is not a text"),
            (exported(operationName=""), "lacks operationName"), (exported(operationName=[]), "operationName is not"),
            (exported(callerIpAddress=5), "callerIpAddress is not a text"),
            (exported(time="2026-03-01T10:00:01"), "no time zone"),
            (exported(correlationId={}), "correlationId is not a text"),
        ],
    )  # fmt: skip
    def test_a_record_that_cannot_be_used_is_kept_as_it_was_sent(self, event, says):
        found = one("azure", [event])

        assert isinstance(found, BadLine) and says in found.reason
        assert json.loads(found.content) == event


class TestGoogleCloudAudit:
    def test_an_entry(self):
        assert one("gcp", entry())._replace(sent="") == AccessLine(
            line=1, event_id="i-1@2026-03-01T10:00:01.123456789Z", at=AT, kind="admin",
            action="compute:v1.compute.instances.insert", principal="anna@customer.example", address="203.0.113.7",
            raw_source="203.0.113.7", source_system="gcp-audit", account="one", user_agent="example/1.0", region="a-b1",
        )  # fmt: skip

    def test_the_answer_of_its_list_method(self):
        assert len(read("gcp", {"entries": [entry(), entry()], "nextPageToken": "x"})) == 2

    @pytest.mark.parametrize("source", ["private", "gce-internal-ip", ""])
    def test_t23_a_caller_that_is_no_address_is_kept(self, source):
        found = one("gcp", entry({"requestMetadata": {"callerIp": source}}))

        assert (found.address, found.raw_source) == (None, source)

    @pytest.mark.parametrize(
        ("log", "payload", "kind"),
        [
            ("activity", {"authorizationInfo": [{"permissionType": "ADMIN_READ"}]}, "admin"),
            ("data_access", {"authorizationInfo": [{"permissionType": "DATA_READ"}]}, "access"),
            ("data_access", {"authorizationInfo": [{"permissionType": "ADMIN_READ"}, {}]}, "access"),
            (
                "data_access",
                {"authorizationInfo": [{"permissionType": "DATA_READ"}, {"permissionType": "DATA_WRITE"}]},
                "admin",
            ),
            ("data_access", {"methodName": "storage.objects.get"}, "access"),
            ("data_access", {"methodName": "google.logging.v2.LoggingServiceV2.ListLogEntries"}, "access"),
            ("data_access", {"methodName": "storage.objects.create", "authorizationInfo": "x"}, "admin"),
            ("data_access", {"serviceName": "login.googleapis.com", "methodName": "x.loginSuccess"}, "access"),
            ("system_event", {}, "admin"),
            ("policy", {}, "admin"),
        ],
    )
    def test_reads_and_sign_ins_are_access(self, log, payload, kind):
        assert one("gcp", entry(payload, log=log)).kind == kind

    @pytest.mark.parametrize(
        ("owner", "account"),
        [("projects/one", "one"), ("organizations/7", "organizations/7"), ("folders/7", "folders/7")],
    )
    def test_whose_log_it_is(self, owner, account):
        assert one("gcp", entry(logName=f"{owner}/logs/cloudaudit.googleapis.com%2Factivity")).account == account

    @pytest.mark.parametrize(
        ("event", "says"),
        [
            (entry(protoPayload=None), "not of an audit log"), (entry({"@type": "x"}), "not of an audit log"),
            (entry(insertId=""), "lacks insertId"), (entry(timestamp=None), "lacks timestamp"),
            (entry({"methodName": None}), "lacks methodName"), (entry(logName="one"), "logName names no project"),
            (entry({"requestMetadata": {"callerIp": ["1.2.3.4"]}}), "requestMetadata.callerIp is not a text"),
        ],
    )  # fmt: skip
    def test_an_entry_that_cannot_be_used_is_a_bad_line(self, event, says):
        found = one("gcp", event)

        assert isinstance(found, BadLine) and says in found.reason


class TestCadf:
    EXPECTED = AccessLine(
        line=1, event_id="openstack:e-1", at=AT, kind="admin", action="create", principal="anna",
        address="203.0.113.7", raw_source="203.0.113.7", source_system="openstack", account="p-1",
        user_agent="example/1.0",
    )  # fmt: skip

    @pytest.mark.parametrize(
        "message",
        [cadf_event(), [cadf_event()], enveloped(cadf_event()), [enveloped(cadf_event(), as_text=False)]],
        ids=["line", "array", "envelope", "message"],
    )
    def test_an_event_in_each_envelope(self, message):
        assert one("cadf", message)._replace(sent="") == self.EXPECTED

    @pytest.mark.parametrize(
        ("action", "kind"),
        [
            ("read", "access"), ("read/list", "access"), ("authenticate", "access"), ("authenticate/login", "access"),
            ("update/reboot", "admin"), ("delete", "admin"), ("unknown", "admin"), ("reader", "admin"),
        ],
    )  # fmt: skip
    def test_reads_and_sign_ins_are_access(self, action, kind):
        assert one("cadf", cadf_event(action=action)).kind == kind

    @pytest.mark.parametrize("time", ["2026-03-01T12:00:01.123456+0200", "2026-03-01T10:00:01.123456+00:00"])
    def test_both_forms_of_a_zone(self, time):
        assert one("cadf", cadf_event(eventTime=time)).at == AT

    @pytest.mark.parametrize("initiator", [None, {}, {"host": None}, {"host": {}}])
    def test_t23_an_event_of_nobody_from_nowhere_is_kept(self, initiator):
        found = one("cadf", cadf_event(initiator=initiator))

        assert (found.address, found.raw_source, found.principal) == (None, "", "")

    @pytest.mark.parametrize(
        ("event", "says"),
        [
            ({"oslo.message": "{"}, "oslo.message is not valid JSON"), ({"oslo.message": "[]"}, "holds no event"),
            ({"oslo.message": 5}, "oslo.message is not a text"), ({"payload": 5}, "holds no event"),
            (cadf_event(typeURI="x"), "not that of a CADF event"), (cadf_event(typeURI=5), "typeURI is not a text"),
            (cadf_event(id=None), "lacks id"), (cadf_event(eventTime="2026-03-01T10:00:01"), "no time zone"),
            (cadf_event(action=""), "lacks action"), (cadf_event(action=5), "action is not a text"),
            ({"oslo.message": '{"a": 1, "a": 2}'}, "oslo.message is not valid JSON"),
        ],
    )  # fmt: skip
    def test_an_event_that_cannot_be_used_is_a_bad_line(self, event, says):
        found = one("cadf", event)

        assert isinstance(found, BadLine) and says in found.reason


@pytest.mark.parametrize("format", READERS)
class TestEveryFormat:
    def test_no_event_is_lost_between_good_and_bad_ones(self, format):
        events = [SAMPLES[format](), 5, SAMPLES[format](), None, [], "x", {}, SAMPLES[format]()]

        found = read(format, events)

        assert [line.line for line in found] == list(range(1, 9))
        assert [type(line) for line in found] == [AccessLine, BadLine, AccessLine, *[BadLine] * 4, AccessLine]

    def test_an_empty_file_is_refused(self, format):
        with pytest.raises(AccessFileRefused, match="is empty"):
            read(format, b"")

    @pytest.mark.parametrize("surprise", [{"a": "\ud800"}, {"b": "a\x00b"}, {"c": 1e400}, {"d": -0.0}])
    def test_what_is_not_read_does_no_harm(self, format, surprise):
        raw = json.dumps(SAMPLES[format](extra=surprise)).replace("Infinity", "9" * 400).encode()

        assert isinstance(one(format, raw), AccessLine)
