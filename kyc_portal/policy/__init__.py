"""What the rules say: regimes, citations, clocks, moves between states."""
