"""What the API answers when it does not do what it was asked (RFC 9457): a status and one sentence."""

from http import HTTPStatus

from django.http import JsonResponse

from kyc_portal.refusal import Remedy

WORDS = {
    Remedy.KEEP_GOOD: "Correct the lines, or keep the good ones with keep_good_rows=true.",
    Remedy.NAME_FORMAT: "Name the format in the address, in the place of auto.",
    Remedy.NAME_ENCODING: "Send it as UTF-8, or name its encoding in the Content-Type, such as charset=cp1252.",
    Remedy.NAME_UTF_16: "Send it as UTF-8, or say in the Content-Type charset=utf-16-le or charset=utf-16-be.",
    Remedy.OTHER_ENCODING: "Say in the Content-Type charset=utf-8 or charset=cp1252, for example.",
    Remedy.GET_AGAIN: "Send it again, whole and as its service delivered it.",
}


class Problem(Exception):
    """Raised anywhere below an endpoint, and answered as problem JSON; `also` are its further members."""

    def __init__(self, status: int, detail: str, *, also: dict | None = None, **headers: str):
        super().__init__(detail)
        self.status, self.detail, self.headers, self.also = status, detail, headers, also or {}

    def as_response(self) -> JsonResponse:
        """The answer; `type` stays about:blank, so `title` is the status in words."""
        body = {"status": self.status, "title": HTTPStatus(self.status).phrase, "detail": self.detail, **self.also}
        headers = {"Cache-Control": "no-store", **{name.replace("_", "-"): each for name, each in self.headers.items()}}
        return JsonResponse(body, status=self.status, content_type="application/problem+json", headers=headers)
