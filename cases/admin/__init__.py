"""How staff see and work it; every button calls one flow."""

from cases.admin import (
    bundle,
    case,
    commerce,
    decision,
    legal,
    legal_desk,
    measure,
    measure_hit,
    property_report,
    report,
)

__all__ = [
    "bundle", "case", "commerce", "decision", "legal", "legal_desk", "measure", "measure_hit", "property_report",
    "report",
]  # fmt: skip
