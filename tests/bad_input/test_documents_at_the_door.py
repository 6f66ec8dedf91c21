"""Files through the document form (rows B1-B26, G17): the reading itself is tested in tests/accounts/formats."""

import io

import pikepdf
import pytest
from django.conf import settings
from PIL import Image

from accounts.models import IdentityDocument
from tests.accounts.formats.sample_documents import archive, large_png, pdf, picture
from tests.bad_input.doors import all_rights, logged_in
from tests.builders import make_party

pytestmark = pytest.mark.django_db
PNG = picture("PNG")
FIELDS = (("kind", "passport"), ("number", "X1"))


def animated() -> bytes:
    frames, out = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")], io.BytesIO()
    frames[0].save(out, format="PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


REFUSED = {
    "b1_empty": ("scan.png", b""),
    "b2_too_large": ("scan.png", PNG + bytes(2_000_000)),
    "b4_zip_behind": ("scan.png", PNG + archive()),
    "b5_html_before_pdf": ("scan.pdf", b"<html>" + pdf()),
    "b8_encrypted": ("scan.pdf", pdf(encryption=pikepdf.Encryption(owner="x", user="y"))),
    "b10_svg": ("scan.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
    "b10_svg_named_png": ("scan.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "b11_30000_pixels": ("scan.png", large_png(30_000, 30_000)),
    "b13_animated": ("scan.png", animated()),
    "b13_gif": ("scan.gif", picture("GIF")),
    "b13_webp": ("scan.webp", picture("WEBP")),
    "b16_exe_named_pdf": ("scan.pdf", b"MZ" + bytes(500)),
    "b16_pdf_named_jpg": ("scan.jpg", pdf()),
    "b16_pdf_exe": ("scan.pdf.exe", pdf()),
    "b22_zip": ("scan.zip", archive()),
    "b25_tiff": ("scan.tiff", picture("TIFF")),
    "b25_docx": ("scan.docx", archive()),
    "cut_png": ("scan.png", PNG[:-20]),
}
NAMES = {
    "b17_path": ("../../etc/x.png", "x.png"),
    "b17_windows_path": ("C:\\temp\\x.png", "x.png"),
    "b19_direction": ("a\u202egnp.png", "agnp.png"),  # Django drops the control before we see the name
    "b20_emoji": ("😀.png", "😀.png"),
    "b20_device": ("CON.png", "_CON.png"),
    "b20_dots": ("...png", "png.png"),
    "markup": ("'><img src=x onerror=alert(1)>.png", None),
    "b20_long": ("x" * 300 + ".png", "x" * 96 + ".png"),
}  # fmt: skip


@pytest.fixture
def door(db, settings):
    settings.DOCUMENT_MAX_BYTES = 1_000_000
    party = make_party()
    return logged_in(all_rights()), f"/admin/accounts/party/{party.pk}/do/add-document/"


def send(door, name: str, content: bytes):
    """Post byte for byte what a browser would: the test client's own encoder would tidy the name."""
    client, path = door
    part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    fields = "".join(part.format(each, value) for each, value in FIELDS)
    head = f'{fields}--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode("utf-8", "surrogateescape") + content + b"\r\n--b--\r\n"
    return client.generic("POST", path, body, content_type="multipart/form-data; boundary=b")


def stored() -> list:
    return [path for path in settings.PRIVATE_DIR.rglob("*") if path.is_file()] if settings.PRIVATE_DIR.exists() else []


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_at_the_form_and_nothing_is_kept(door, unchanged, name):
    answer = send(door, *REFUSED[name])

    assert answer.status_code == 200 and answer.context["form"].errors
    assert "X1" not in str(answer.context["form"].errors)
    assert stored() == []
    assert not IdentityDocument.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_shown_harmless_and_never_a_path(door, name):
    given, shown = NAMES[name]

    answer = send(door, given, PNG)

    assert answer.status_code == 302, answer.context["form"].errors
    kept = IdentityDocument.objects.get().file_name.reveal()
    assert (kept == shown if shown else kept.isprintable()) and len(kept) <= 100
    assert all(path.suffix == ".sealed" and path.is_relative_to(settings.PRIVATE_DIR) for path in stored())
    page = door[0].get(answer.url)
    assert page.status_code == 200 and "<img src=x" not in page.content.decode()


def test_b23_the_same_bytes_twice_are_one_file_and_two_records(door):
    first, second = send(door, "a.png", PNG), send(door, "b.png", PNG)

    assert (first.status_code, second.status_code) == (302, 302)
    assert IdentityDocument.objects.count() == 2 and len(stored()) == 1


def test_b23_the_same_bytes_of_somebody_else_are_a_file_of_their_own(door):
    other = make_party()

    send(door, "a.png", PNG)
    send((door[0], f"/admin/accounts/party/{other.pk}/do/add-document/"), "a.png", PNG)

    assert len(stored()) == 2


class TestMultipart:
    """B26: what is no proper form is a 400, for the page that takes files as for any other."""

    def post(self, door, body: bytes, content_type: str):
        return door[0].generic("POST", door[1], body, content_type=content_type)

    def test_b26_ten_thousand_parts(self, door, unchanged):
        part = '--b\r\nContent-Disposition: form-data; name="n{}"\r\n\r\nx\r\n'
        body = "".join(part.format(number) for number in range(10_000)) + "--b--\r\n"

        assert self.post(door, body.encode(), "multipart/form-data; boundary=b").status_code == 400
        unchanged()

    def test_b26_a_hundred_files(self, door, unchanged):
        part = '--b\r\nContent-Disposition: form-data; name="file"; filename="{}.png"\r\n\r\nx\r\n'
        body = "".join(part.format(number) for number in range(100)) + "--b--\r\n"

        assert self.post(door, body.encode(), "multipart/form-data; boundary=b").status_code == 400
        unchanged()

    @pytest.mark.parametrize(
        "content_type",
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 500,
         "multipart/form-data; boundary=\x00", "multipart/form-data; boundary=b; charset=nonsense"],
        ids=ascii,
    )  # fmt: skip
    def test_b26_without_a_proper_boundary(self, door, unchanged, content_type):
        answer = self.post(door, b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nx\r\n--b--', content_type)

        assert answer.status_code in (200, 400)
        unchanged()

    @pytest.mark.parametrize(
        "disposition",
        ['filename="a.png"; filename="b.exe"', "filename=\"a.png\"; filename*=UTF-8''b.exe", "filename*=nonsense''x",
         'filename="a.png', "filename*=UTF-8''%ff%fe", 'filename="\x00.png"'],
        ids=ascii,
    )  # fmt: skip
    def test_b26_two_names_or_odd_ones(self, door, disposition):
        body = (
            (
                '--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\npassport\r\n'
                f'--b\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\n'
            ).encode()
            + PNG
            + b"\r\n--b--\r\n"
        )

        answer = self.post(door, body, "multipart/form-data; boundary=b")

        assert answer.status_code in (200, 302, 400)
        assert all(
            document.file_name.reveal().endswith(".png")
            for document in IdentityDocument.objects.exclude(file_sha256="")
        )
