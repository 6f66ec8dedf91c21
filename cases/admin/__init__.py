"""How staff see and work it; every button calls one flow."""

from cases.admin import bundle, case, decision, legal, legal_desk, report

__all__ = ["bundle", "case", "decision", "legal", "legal_desk", "report"]
