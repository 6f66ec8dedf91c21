"""Requests whose Content-Type names a codec that is none of text, such as "hex": Django fails while it makes them."""

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest


class _OfText:
    """Read as if no charset were named."""

    def _set_content_type_params(self, meta):
        try:
            super()._set_content_type_params(meta)
        except LookupError:
            self._encoding = None


class TextWSGIRequest(_OfText, WSGIRequest):
    pass


class TextASGIRequest(_OfText, ASGIRequest):
    pass
