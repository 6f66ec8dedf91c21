"""The body of a request, piece by piece into a file: no more than was announced, and nothing that broke off."""

import gzip
import zlib
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from django.http import UnreadablePostError

from kyc_portal.api.problems import Problem

CHUNK = 1 << 20
UNPACKED_TIMES = 4  # of the largest body: what a packed one may become; far more is no log but a trap
BROKEN_OFF = Problem(400, "The body broke off before its announced end. Send it again.")


def receive(request, file: BinaryIO, most: int) -> None:
    """Copy the body as it was sent. No more than was announced is read, and less is not taken for the whole."""
    announced = request.META.get("CONTENT_LENGTH", "")
    if not announced.isdecimal():
        raise Problem(411, "Say how long the body is, in the header Content-Length.")
    if int(announced) > most:
        raise Problem(413, f"The body is larger than {most:,} bytes. Send smaller files.")
    try:
        while piece := request.read(CHUNK):
            file.write(piece)
    except UnreadablePostError:
        raise BROKEN_OFF from None
    if file.tell() != int(announced):
        raise BROKEN_OFF


def receive_packed(request, file: BinaryIO, most: int) -> None:
    """Copy the body without its content encoding (gzip or none); `most` is for the body as sent, UNPACKED_TIMES that
    for what comes out of it."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        receive(request, file, most)
    elif encoding == "gzip":
        with SpooledTemporaryFile(max_size=CHUNK) as packed:
            receive(request, packed, most)
            packed.seek(0)
            _unpack(packed, file, most * UNPACKED_TIMES)
    else:
        raise Problem(415, "Send the body with the content encoding gzip, or without one.")


def _unpack(packed: BinaryIO, file: BinaryIO, most: int) -> None:
    try:
        with gzip.GzipFile(fileobj=packed, mode="rb") as content:
            while piece := content.read(CHUNK):
                if file.tell() + len(piece) > most:
                    raise Problem(413, f"The body unpacks to more than {most:,} bytes. Send smaller files.")
                file.write(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Problem(400, "The body is not packed with gzip as its header says. Pack it anew and send it.") from None
