"""Take in what is raised below as cases."""


def take_in_signal(signal, *, by, at):
    """Placeholder until written."""
