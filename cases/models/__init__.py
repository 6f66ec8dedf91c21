"""What is stored of cases."""

from cases.models.appeal import Appeal
from cases.models.bundle import Bundle, BundleItem, BundleReceipt
from cases.models.case import Assignment, Case, CaseNote, CaseSignal, CaseSubject
from cases.models.decision import Decision
from cases.models.legal import LegalRequest
from cases.models.queue import Absence, CaseLock, SavedView
from cases.models.report import AbuseEvidence, AbuseReport

__all__ = [
    "Absence",
    "AbuseEvidence",
    "AbuseReport",
    "Appeal",
    "Assignment",
    "Bundle",
    "BundleItem",
    "BundleReceipt",
    "Case",
    "CaseLock",
    "CaseNote",
    "CaseSignal",
    "CaseSubject",
    "Decision",
    "LegalRequest",
    "SavedView",
]  # fmt: skip
