"""How staff see and work it; every button calls one flow."""

from cases.admin import bundle, case, decision, legal, measure, measure_hit, report

__all__ = ["bundle", "case", "decision", "legal", "measure", "measure_hit", "report"]
