"""The demo world: who and what a newcomer meets."""
