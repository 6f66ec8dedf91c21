"""How a log line is written: codes and places, never values (ASVS 16.2.5, 16.4.1, trust.md TH28).

What an exception says is left out, because it may repeat what somebody typed: a database names the values of the row it
refuses. Its class and the places it came through are enough to find it. What other people's packages put into their
messages is left out too, but for numbers and the names of tasks; of a request the route is told.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from kyc_portal.records.acting import current_request_id

OWN = ("kyc_portal", "accounts", "cases", "resellers")
FOR_OPERATORS = (CommandError, ImproperlyConfigured, KeyboardInterrupt)
NAMES_OF_TASKS = ("name", "id")  # what Celery calls a task and its message
LONGEST = 1000  # characters of one message
MOST_PLACES = 12  # frames of one exception, the innermost
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_PLACE_OF_WARNING = re.compile(r"(?P<place>.*?:\d+: \w+): ")


class LogFormatter(logging.Formatter):
    """One line for people: time, level, logger, request, message, exception."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [_moment(record), record.levelname, record.name, current_request_id(), message_of(record)]
        return escaped(" ".join(filter(None, [*parts, *facts_of(record).values(), _in_one_line(record.exc_info)])))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for what collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "request": current_request_id(),
            "message": escaped(message_of(record)),
            **facts_of(record),
            "exception": exception_of(record.exc_info),
        }
        return json.dumps({name: value for name, value in told.items() if value})


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def message_of(record: logging.LogRecord) -> str:
    """The message; what an exception or another's package would put into it is left out."""
    is_own = record.name.partition(".")[0] in OWN
    args = record.args or ()
    if record.name == "py.warnings":
        found = _PLACE_OF_WARNING.match(str(args[0] if args else record.msg))
        return found["place"] if found else "a warning"
    text = type(record.msg).__name__ if isinstance(record.msg, BaseException) else str(record.msg)
    if args:
        try:
            text %= _plain_all(args, record.name, is_own)
        except (TypeError, ValueError, KeyError):  # a %d that was given a text we left out
            text = re.sub(r"%(\(\w+\))?[-+ #0-9.]*[a-zA-Z]", "…", text)
    return text[:LONGEST]


def _plain_all(args, logger: str, is_own: bool):
    if isinstance(args, dict):
        tasks = NAMES_OF_TASKS if logger.startswith("celery.") else ()
        return {name: _plain(value, is_own or name in tasks) for name, value in args.items()}
    return tuple(_plain(value, is_own) for value in args)


def _plain(value, is_own: bool):
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, BaseException):
        return type(value).__name__
    return value if is_own else "…"


def facts_of(record: logging.LogRecord) -> dict[str, str]:
    """Of a request its method and route, which hold no value."""
    request = getattr(record, "request", None)
    match = getattr(request, "resolver_match", None)
    return {"route": f"{request.method} /{match.route}"} if match else {}


def exception_of(exc_info) -> list[dict]:
    """Each exception of the chain, the first cause last: its class and where it came through."""
    if not exc_info or exc_info is True or exc_info[1] is None:
        return []
    told, error = [], exc_info[1]
    while error is not None and len(told) < 5:
        kind = type(error)
        frames = traceback.extract_tb(error.__traceback__)[-MOST_PLACES:]
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        told.append({"class": f"{kind.__module__}.{kind.__qualname__}", "places": places})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _in_one_line(exc_info) -> str:
    return " < ".join(f"{each['class']} at {', '.join(reversed(each['places']))}" for each in exception_of(exc_info))


def escaped(text: str) -> str:
    """Line breaks, escape sequences, and signs that turn or hide text, made visible."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def tell_crash(kind, error, places) -> None:
    """In the place of sys.excepthook: a command that breaks tells the log where, and no value.

    What is said to operators (a setting, a check, a refusal in words) is shown as it is.
    """
    if issubclass(kind, FOR_OPERATORS):
        sys.__excepthook__(kind, error, places)
        return
    logging.getLogger("kyc_portal.crash").critical("stopped by an error", exc_info=(kind, error, places))


def tell_crash_of_thread(told) -> None:
    """In the place of threading.excepthook, likewise."""
    tell_crash(told.exc_type, told.exc_value, told.exc_traceback)
