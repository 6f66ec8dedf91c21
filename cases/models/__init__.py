"""What is stored of cases."""

from cases.models.appeal import Appeal
from cases.models.bundle import Bundle, BundleItem, BundleReceipt, BundleRedaction
from cases.models.case import Assignment, Case, CaseNote, CaseSignal, CaseSubject
from cases.models.commerce import CommerceAsk, CommerceReview, FlaggedClass, FlaggedHold, Remedy
from cases.models.decision import Decision
from cases.models.legal import LegalRequest
from cases.models.legal_desk import BackupCopy, Challenge, RequestCheck, VoluntaryDisclosure
from cases.models.measure import MeasureFactor, MeasureHit, MeasureOverride, SpecialMeasure
from cases.models.property_report import PropertyReport
from cases.models.queue import Absence, CaseLock, SavedView
from cases.models.report import AbuseEvidence, AbuseReport
from cases.models.workspace import CaseCheck, CaseMerge, CaseReader

__all__ = [
    "Absence",
    "AbuseEvidence",
    "AbuseReport",
    "Appeal",
    "Assignment",
    "BackupCopy",
    "Bundle",
    "BundleItem",
    "BundleReceipt",
    "BundleRedaction",
    "Case",
    "CaseCheck",
    "CaseLock",
    "CaseMerge",
    "CaseNote",
    "CaseReader",
    "CaseSignal",
    "CaseSubject",
    "Challenge",
    "CommerceAsk",
    "CommerceReview",
    "Decision",
    "FlaggedClass",
    "FlaggedHold",
    "LegalRequest",
    "MeasureFactor", "MeasureHit", "MeasureOverride", "PropertyReport", "Remedy", "RequestCheck", "SavedView",
    "SpecialMeasure", "VoluntaryDisclosure",
]  # fmt: skip
