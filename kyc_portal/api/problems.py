"""What the API answers when it does not do what it was asked (RFC 9457): a status and one sentence."""

from http import HTTPStatus

from django.http import JsonResponse


class Problem(Exception):
    """Raised anywhere below an endpoint, and answered as problem JSON."""

    def __init__(self, status: int, detail: str, **headers: str):
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers

    def as_response(self) -> JsonResponse:
        """The answer; `type` stays about:blank, so `title` is the status in words."""
        body = {"status": self.status, "title": HTTPStatus(self.status).phrase, "detail": self.detail}
        headers = {"Cache-Control": "no-store", **{name.replace("_", "-"): each for name, each in self.headers.items()}}
        return JsonResponse(body, status=self.status, content_type="application/problem+json", headers=headers)
