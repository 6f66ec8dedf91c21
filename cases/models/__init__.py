"""What is stored of cases."""

from cases.models.bundle import Bundle, BundleItem, BundleReceipt
from cases.models.case import Assignment, Case, CaseNote, CaseSignal, CaseSubject
from cases.models.decision import Decision
from cases.models.legal import LegalRequest
from cases.models.queue import Absence, CaseLock, SavedView
from cases.models.report import AbuseEvidence, AbuseReport
from cases.models.workspace import CaseCheck, CaseMerge, CaseReader

__all__ = [
    "Absence",
    "AbuseEvidence",
    "AbuseReport",
    "Assignment",
    "Bundle",
    "BundleItem",
    "BundleReceipt",
    "Case",
    "CaseCheck",
    "CaseLock",
    "CaseMerge",
    "CaseNote",
    "CaseReader",
    "CaseSignal",
    "CaseSubject",
    "Decision",
    "LegalRequest",
    "SavedView",
]  # fmt: skip
