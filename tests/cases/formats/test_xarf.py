import json
from decimal import Decimal

import pytest

from cases.formats.xarf import ReportRefused, Verdict, read_report
from tests.cases import reports

MOST = 10_000_000


def read(report):
    data = report if isinstance(report, bytes) else reports.as_bytes(report)
    return read_report(data, most_bytes=MOST)


class TestReadReport:
    def test_it_reads_what_a_report_says(self):
        said = read(reports.botnet(source_port=443, tags=["malware:conficker"]))

        assert (said.version, said.category, said.type) == ("4.2.0", "infrastructure", "botnet")
        assert (said.source_identifier, said.source_port) == (reports.ADDRESS, 443)
        assert (said.reporter_org, said.reporter_domain) == ("Example CERT", "reporter.example")
        assert said.moment.isoformat() == "2026-03-02T11:30:00+00:00"
        assert said.warnings == ()

    def test_it_lists_indicators_once_and_the_risk_exactly(self):
        told = {"suspicious_indicators": ["typosquatting", "typosquatting", "brand_keyword"], "risk_score": 0.89}
        url = {"url": "https://g00gle.example", "domain": "g00gle.example", "registration_date": "2026-03-01T00:00:00Z"}
        said = read(
            reports.botnet(
                category="content", type="suspicious_registration", compromise_evidence=..., **told, **url,
            )
        )  # fmt: skip

        assert said.indicators == ("typosquatting", "brand_keyword")
        assert said.risk == Decimal("0.8900")

    def test_a_field_nobody_knows_is_a_warning(self):
        assert read(reports.botnet(mood="bad")).warnings == ("$.mood: the schema does not know this field.",)

    @pytest.mark.parametrize("risk", [True, "0.5", -0.1, 1.1, [], {}, 10**29])
    def test_a_risk_that_is_none_is_left_out_with_a_warning(self, risk):
        said = read(reports.botnet(risk_score=risk))

        assert said.risk is None
        assert "$.risk_score: it is not a number from 0 to 1 and was left out." in said.warnings

    def test_version_3_becomes_4_and_says_what_it_lacks(self):
        said = read(reports.old(ReportID="R-7"))

        assert (said.version, said.report_id, said.reporter_domain) == ("3", "R-7", "reporter.example")
        assert said.warnings[0] == "Sent as XARF 3 and read as XARF 4."
        assert [piece.verdict for piece in said.evidence] == [Verdict.NOT_DECLARED]

    def test_a_byte_order_mark_is_no_fault(self):
        assert read(b"\xef\xbb\xbf" + reports.as_bytes(reports.botnet())).type == "botnet"


class TestEvidence:
    @pytest.mark.parametrize(
        ("piece", "verdict"),
        [
            (reports.evidence(), Verdict.AGREES),
            (reports.evidence(hash="md5:deadbeef"), Verdict.DISAGREES),
            (reports.evidence(hash="sha512:" + "0" * 128), Verdict.DISAGREES),
            ({"content_type": "text/plain", "payload": "c2Vlbg=="}, Verdict.NOT_DECLARED),
            (reports.evidence(payload=b"seen") | {"payload": "no base64!"}, Verdict.UNREADABLE),
            (reports.evidence(payload=b"seen") | {"payload": "wörter"}, Verdict.UNREADABLE),
        ],
    )
    def test_its_hash_is_computed_again(self, piece, verdict):
        (found,) = read(reports.botnet(evidence=[piece])).evidence

        assert found.verdict == verdict
        assert (found.size, bool(found.computed)) == ((0, False) if verdict == Verdict.UNREADABLE else (4, True))

    def test_a_hash_in_capitals_agrees(self):
        piece = reports.evidence()
        piece["hash"] = f"sha256:{piece['hash'].partition(':')[2].upper()}"

        assert read(reports.botnet(evidence=[piece])).evidence[0].verdict == Verdict.AGREES


def raw(text: str) -> bytes:
    """A valid report with this in its middle."""
    return reports.as_bytes(reports.botnet())[:-1] + f", {text}}}".encode()


BAD = {
    "empty": (b" \n", "The report is empty."),
    "not json": (b"{", r"This is not JSON \(line 1, column 2"),
    "not utf-8": (b'{"a": "\xff"}', "Byte 8 is not valid UTF-8"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), "not valid UTF-8"),
    "a list": (b"[]", r"\$: a report is one JSON object"),
    "twice": (raw('"x": {"y": [{"a": 1, "a": 1}]}'), r"\$.x.y\[0\]: the name “a” stands twice"),
    "twice at the top": (raw('"type": "spam"'), r"\$: the name “type” stands twice"),
    "nan": (raw('"x": {"a": NaN}'), r"\$.x.a: “NaN” is not a number"),
    "infinity": (raw('"x": -Infinity'), r"\$.x: “-Infinity” is not a number"),
    "overflow": (raw('"x": 1e999'), r"\$.x: “1e999” is not a number"),
    "5000 digits": (raw(f'"x": {"1" * 5000}'), r"\$.x: “1+...” is not a number"),
    "deep": (raw('"x": ' + "[" * 40 + "]" * 40), r"stand more than 32 deep"),
    "endlessly deep": (b"[" * 200_000, "stand more than 32 deep"),
    "many values": (raw('"x": [' + "1," * 100_001 + "1]"), "more than 100,000 values"),
    "half a pair": (raw('"x": "\\ud800"'), r"\$.x: the text holds half of a surrogate pair"),
    "half a pair in a name": (raw('"\\ud800": 1'), r"\$: the text holds half of a surrogate pair"),
    "nul": (raw('"x": "\\u0000"'), r"\$.x: the text holds a NUL"),
    "too large": (b" " * (MOST + 1), "larger than 10,000,000 bytes"),
    "no report": (b"{}", "the field xarf_version is missing"),
    "version 2": (b'{"Version": "2"}', "this version of XARF is not read"),
    "version 5": (reports.botnet(xarf_version="5.0.0"), r"\$.xarf_version: the value does not match"),
    "no category": (reports.botnet(category=...), "the field category is missing"),
    "category no text": (reports.botnet(category=[]), r"\$.category: the value is not of type"),
    "other category's type": (reports.botnet(type="spam"), r"\$.type: the category has no such type"),
    "moment no moment": (reports.botnet(timestamp="yesterday"), r"\$.timestamp: .*is not a moment"),
    "moment without zone": (reports.botnet(timestamp="2026-03-02T11:30:00"), "has no time zone"),
    "reporter no object": (reports.botnet(reporter="x"), r"\$.reporter: the value is not of type 'object'"),
    "reporter without contact": (
        reports.botnet(reporter={"org": "x", "domain": "x.example"}), r"\$.reporter: the field contact is missing"
    ),
    "source empty": (reports.botnet(source_identifier="\u200b"), r"\$.source_identifier: the text is empty"),
    "source of two lines": (reports.botnet(source_identifier="a\nb"), "only one line is allowed"),
    "source turned round": (reports.botnet(source_identifier="a\u202eb"), "invisible direction control"),
    "source endless": (reports.botnet(source_identifier="x" * 5_000_000), "5,000,000 characters long"),
    "port out of range": (reports.botnet(source_port=70_000), r"\$.source_port: the value does not fit"),
    "evidence without type": (reports.botnet(evidence=[{"payload": "x"}]), r"\$.evidence\[0\]: the field content_type"),
    "hash of no algorithm": (
        reports.botnet(evidence=[reports.evidence(hash="crc:1")]), r"\$.evidence\[0\].hash: the value does not match"
    ),
    "hash endless": (reports.botnet(evidence=[reports.evidence(hash="md5:" + "0" * 500)]), "no hash is that long"),
    "v3 report no object": ({"Version": "3", "ReporterInfo": {}, "Report": []}, r"\$.Report: this is no object"),
    "v3 reporter no object": ({"Version": "3", "ReporterInfo": 1, "Report": {}}, r"\$.ReporterInfo: this is no object"),
    "v3 type no text": (reports.old(ReportType={}), r"\$.Report.ReportType: this is no text"),
    "v3 type unknown": (reports.old(ReportType="Weather"), "unknown ReportType"),
    "v3 piece no object": (reports.old(Attachment=[1]), r"\$.Report.Attachment: this is no list of objects"),
    "v3 data no text": (reports.old(Attachment=[{"Data": 5}]), r"Attachment\[0\].Data: this is no text"),
    "v3 no moment": (reports.old(Date=None), r"\$.timestamp: the value is not of type"),
    "v3 no source": (reports.old(Source={}), "no source identifier"),
}  # fmt: skip


class TestBadInput:
    @pytest.mark.parametrize("name", BAD)
    def test_it_is_refused_in_one_clear_line(self, name):
        data, fault = BAD[name]

        with pytest.raises(ReportRefused, match=fault) as refused:
            read(data)

        sentence = str(refused.value)
        assert sentence.isprintable() and sentence.endswith(".") and len(sentence) < 700

    def test_the_sentence_never_repeats_what_was_sent(self):
        told = reports.botnet()
        told["reporter"]["contact"] = {"canary": reports.CONTACT}

        with pytest.raises(ReportRefused, match=r"\$.reporter.contact") as refused:
            read(told)

        assert "canary" not in str(refused.value)

    def test_large_texts_in_fields_we_do_not_keep_are_no_fault(self):
        assert json.loads(reports.as_bytes(reports.botnet(mood="x" * 5_000_000)))
        assert len(read(reports.botnet(mood="x" * 5_000_000)).warnings) == 1
