"""Serve the local world: web, worker and beat, started together and ended together."""

import fcntl
import os
import socket
import sys

from django.conf import settings
from honcho.manager import Manager


def free_port(first: int = 8000) -> int:
    """`first`, or the next port nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("No free port between 8000 and 8099.")


def already_served() -> bool:
    """Whether another process serves this world; the lock is held until this process ends."""
    lock = os.open(settings.LOCAL_DIR / "serving.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def serve(port: int) -> int:
    """Run until interrupted, or until one of the three ends; returns the exit code."""
    python = f'"{sys.executable}"'
    celery = f"{python} -m celery --app kyc_portal"
    schedule = settings.LOCAL_DIR / "beat-schedule"
    commands = {  # without DEBUG, so that a missing page is the portal's own; static files are served all the same
        "web": f"{python} manage.py runserver --noreload --insecure 127.0.0.1:{port}",
        "worker": f"{celery} worker --pool threads --concurrency 2 --loglevel WARNING "
        "--without-gossip --without-mingle",
        "beat": f'{celery} beat --loglevel WARNING --schedule "{schedule}" --pidfile ""',
    }
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "DEBUG": "false"}
    manager = Manager()
    for name, command in commands.items():
        manager.add_process(name, command, env=environment, cwd=settings.BASE_DIR)
    manager.loop()
    return manager.returncode
