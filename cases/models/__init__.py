"""What is stored of cases."""

from cases.models.bundle import Bundle, BundleItem, BundleReceipt
from cases.models.case import Assignment, Case, CaseNote, CaseSignal, CaseSubject
from cases.models.decision import Decision
from cases.models.legal import LegalRequest
from cases.models.measure import MeasureFactor, MeasureHit, MeasureOverride, SpecialMeasure
from cases.models.queue import Absence, CaseLock, SavedView
from cases.models.report import AbuseEvidence, AbuseReport

__all__ = [
    "Absence",
    "AbuseEvidence",
    "AbuseReport",
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
    "MeasureFactor",
    "MeasureHit",
    "MeasureOverride",
    "SavedView",
    "SpecialMeasure",
]  # fmt: skip
