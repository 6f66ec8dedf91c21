"""Which access logs are read: name, and what reads it. Each reader takes (stream, name, encoding), in this order."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from accounts.formats import azure_activity, cadf, cloudtrail, gcp_audit
from accounts.formats.access_lines import AccessLine, BadLine
from accounts.formats.own_log import read_csv, read_jsonl

Lines = Iterator[AccessLine | BadLine]
Reader = Callable[[BinaryIO, str, str | None], Lines]

AUTO = "auto"  # told by what stands in the file: log_kind.recognise
MAPPED = "mapped"  # read by a mapping that somebody declared: mapped_log.MappedReader
FORMATS: dict[str, Reader] = {
    "azure-activity": azure_activity.read,
    "cloudtrail": cloudtrail.read,
    "csv": read_csv,
    "gcp-audit": gcp_audit.read,
    "jsonl": read_jsonl,
    "openstack-cadf": cadf.read,
}
