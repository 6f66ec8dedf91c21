"""How staff see and work it; every button calls one flow."""
