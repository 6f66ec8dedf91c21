"""Uploaded documents: rows B1-B25 of the bad-input catalogue, each file built here."""

import hashlib
import io
import struct
import time
import zlib

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from accounts.formats.upload import JPEG, PDF, PNG, Upload, UploadRefused, inspect_upload, viewing_copies
from tests.accounts.formats.sample_documents import archive, chunk, large_png, pdf, picture

LIMIT = 10_000_000


def inspect(data: bytes, name: str = "", limit: int = LIMIT) -> Upload:
    return inspect_upload(io.BytesIO(data), name, limit)


class TestAccepted:
    @pytest.mark.parametrize(
        ("data", "name", "media_type", "safe_name"),
        [
            (picture("PNG"), "scan.png", PNG, "scan.png"),
            (picture("PNG", mode="RGBA"), "SCAN.PNG", PNG, "SCAN.PNG"),
            (picture("PNG", mode="1"), "scan.png", PNG, "scan.png"),
            (picture("PNG", mode="P"), "scan.png", PNG, "scan.png"),
            (picture("PNG", mode="I;16"), "scan.png", PNG, "scan.png"),
            (picture("JPEG"), "scan.jpg", JPEG, "scan.jpg"),
            (picture("JPEG", progressive=True), "scan.jpeg", JPEG, "scan.jpeg"),
            (picture("JPEG", mode="L"), "scan.jpg", JPEG, "scan.jpg"),
            (picture("JPEG") + b"\x00" * 7, "scan.jpg", JPEG, "scan.jpg"),
            (pdf(), "deed.pdf", PDF, "deed.pdf"),
            (pdf() + b"\r\n\r\n", "deed.pdf", PDF, "deed.pdf"),
            (picture("PNG"), "", PNG, "document.png"),
            (picture("JPEG"), "CON", JPEG, "_CON.jpg"),
            (pdf(), "../../etc/deed.pdf", PDF, "deed.pdf"),
        ],
    )
    def test_it_describes_the_document(self, data, name, media_type, safe_name):
        assert inspect(data, name) == Upload(
            sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type, safe_name=safe_name
        )

    def test_interlaced_png(self):
        # Seven passes over 3 x 2 grey pixels, four of them without a pixel.
        rows = b"\x00\x01" + b"\x00\x01" + b"\x00\x01" + b"\x00\x01\x01\x01"
        header = struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 1)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

        assert inspect(data, "a.png").media_type == PNG
        assert len(viewing_copies(data, PNG)) == 1

    def test_the_stream_is_left_at_its_start(self):
        stream = io.BytesIO(b"before" + picture("PNG"))
        stream.seek(6)

        inspect_upload(stream, "a.png", LIMIT)

        assert stream.tell() == 6

    def test_forty_megapixels_pass(self):
        assert inspect(large_png(8_000, 5_000), "a.png").warnings == ()


class TestRefused:
    def test_b1_nothing(self):
        with pytest.raises(UploadRefused, match="empty"):
            inspect(b"")

    def test_b2_too_large_is_noticed_while_reading(self):
        class Endless(io.RawIOBase):
            taken = 0

            def read(self, size=-1):
                self.taken += size
                return b"\x00" * size

        stream = Endless()

        with pytest.raises(UploadRefused, match="larger than 1,000,000 bytes"):
            inspect_upload(stream, "a.pdf", 1_000_000)

        assert stream.taken < 1_200_000

    def test_the_limit_itself_passes(self):
        data = picture("PNG")

        assert inspect(data, limit=len(data)).size == len(data)

    @pytest.mark.parametrize("name", ["a.png", ""])
    def test_b4_bytes_after_the_end_of_a_png(self, name):
        with pytest.raises(UploadRefused, match="after the end of the picture"):
            inspect(picture("PNG") + archive(), name)

    def test_bytes_after_the_end_of_a_jpeg(self):
        with pytest.raises(UploadRefused, match="after the end of the picture"):
            inspect(picture("JPEG") + archive(), "a.jpg")

    def test_archive_after_the_end_of_a_pdf(self):
        with pytest.raises(UploadRefused, match="after the end of the PDF"):
            inspect(pdf() + archive(), "a.pdf")

    @pytest.mark.parametrize("before", [b"<html>%PDF-1.7 <script>", b"\n", b"\xef\xbb\xbf", b" "])
    def test_b5_something_before_the_pdf(self, before):
        with pytest.raises(UploadRefused, match="before the PDF begins"):
            inspect(before + pdf(), "a.pdf")

    @pytest.mark.parametrize("password", ["secret", ""])
    def test_b8_encrypted_pdf(self, password):
        data = pdf(encryption=pikepdf.Encryption(owner="owner", user=password))

        with pytest.raises(UploadRefused, match="Remove the password"):
            inspect(data, "a.pdf")

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "a.svg"),
            (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "a.png"),
            (picture("TIFF"), "a.tiff"),
            (picture("GIF"), "a.gif"),
            (picture("WEBP"), "a.webp"),
            (picture("BMP"), "a.png"),
            (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a.heic"),
            (archive(), "a.docx"),
            (archive(), "a.zip"),
            (b"MZ\x90\x00" + b"\x00" * 200, "a.pdf"),
            (b"\x7fELF" + b"\x00" * 60, "a.pdf"),
            (b"just text", "a.pdf"),
            (b"\x00", "a.png"),
        ],
    )
    def test_b10_b16_b25_other_types_are_refused_with_the_allowed_ones(self, data, name):
        with pytest.raises(UploadRefused, match="Allowed are PDF, PNG and JPEG"):
            inspect(data, name)

    @pytest.mark.parametrize(
        ("data", "name"),
        [
            (pdf(), "a.jpg"),
            (pdf(), "a.pdf.exe"),
            (picture("PNG"), "a.jpg"),
            (picture("PNG"), "a.pdf"),
            (picture("JPEG"), "a.png"),
            (picture("PNG"), "a\u202egnp.exe"),
            (picture("PNG"), "a.svg"),
        ],
    )
    def test_b16_the_ending_must_agree(self, data, name):
        with pytest.raises(UploadRefused, match=r"The name ends in \."):
            inspect(data, name)

    def test_b11_gigapixels_are_refused_before_decoding(self):
        data = large_png(30_000, 30_000)
        began = time.perf_counter()

        assert len(data) < 200_000
        with pytest.raises(UploadRefused, match=r"30,000 x 30,000 pixels; at most 50,000,000"):
            inspect(data, "a.png")
        with pytest.raises(UploadRefused, match="pixels"):
            viewing_copies(data, PNG)
        assert time.perf_counter() - began < 1

    def test_b11_gigapixels_in_a_jpeg_header(self):
        data = picture("JPEG")
        place = data.index(b"\xff\xc0") + 5

        with pytest.raises(UploadRefused, match="60,000 x 60,000 pixels"):
            inspect(data[:place] + struct.pack(">HH", 60_000, 60_000) + data[place + 4 :], "a.jpg")

    def test_a_second_header_does_not_hide_the_size(self):
        png, jpeg = picture("PNG"), picture("JPEG")
        frame = jpeg[jpeg.index(b"\xff\xc0") :][:19]
        large = frame[:5] + struct.pack(">HH", 60_000, 60_000) + frame[9:]

        with pytest.raises(UploadRefused, match="two headers"):
            inspect(png[:33] + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)) + png[33:])
        with pytest.raises(UploadRefused, match="60,000 x 60,000"):
            inspect(jpeg[:2] + large + jpeg[2:])

    def test_b13_animated_png(self):
        output = io.BytesIO()
        frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
        frames[0].save(output, format="PNG", save_all=True, append_images=frames[1:])

        with pytest.raises(UploadRefused, match="animated"):
            inspect(output.getvalue(), "a.png")

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    def test_a_picture_cut_anywhere_is_damaged(self, kind):
        data = picture(kind)

        for end in range(12, len(data), 7):
            with pytest.raises(UploadRefused, match="damaged"):
                inspect(data[:end])

    def test_a_png_with_pixels_missing_or_not_packed(self):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
        for packed in (zlib.compress(b"\x00" * 10), b"no zlib", b""):
            data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
            with pytest.raises(UploadRefused, match="damaged"):
                inspect(data, "a.png")

    def test_a_png_with_a_wrong_checksum(self):
        data = bytearray(picture("PNG"))
        data[29] ^= 1  # the last four bytes of the header chunk are its checksum

        with pytest.raises(UploadRefused, match="damaged"):
            inspect(bytes(data), "a.png")

    @pytest.mark.parametrize(
        "data", [b"%PDF-1.7\n", b"%PDF-1.7\n<script>alert(1)</script>\n%%EOF\n", b"%PDF-1.7\n" + b"\x00" * 5_000]
    )
    def test_a_pdf_that_is_none(self, data):
        with pytest.raises(UploadRefused, match=r"damaged|no pages"):
            inspect(data, "a.pdf")

    def test_a_pdf_without_pages(self):
        def empty(document):
            del document.pages[0]

        with pytest.raises(UploadRefused, match="no pages"):
            inspect(pdf(empty), "a.pdf")

    @pytest.mark.parametrize("start", [b"\xff\xd8" + b"\xff" * 3_000_000, b"\xff\xd8" + b"\xff\xfe\x00\x02" * 700_000])
    def test_a_jpeg_of_nothing_but_markers_is_refused_quickly(self, start):
        began = time.perf_counter()

        with pytest.raises(UploadRefused, match="damaged"):
            inspect(start, "a.jpg")
        assert time.perf_counter() - began < 2


def add_javascript(document):
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def add_nested_javascript(document):
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    document.pages[0].obj.AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.GoTo, Next=[action]))


def add_launch(document):
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")
    document.pages[0].obj.Annots = document.make_indirect([pikepdf.Dictionary(Subtype=pikepdf.Name.Link, A=action)])


def add_file(document):
    document.attachments["x.exe"] = b"MZ"


def add_form(document):
    document.Root.AcroForm = pikepdf.Dictionary(XFA=document.make_stream(b"<xdp/>"), Fields=[])


def add_large_picture(document):
    image = document.make_stream(b"\x00")
    image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    image.Width, image.Height = 30_000, 30_000
    document.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))


class TestActiveContent:
    def test_b11_gigapixels_inside_a_pdf(self):
        with pytest.raises(UploadRefused, match="more than 50,000,000 pixels"):
            inspect(pdf(add_large_picture), "a.pdf")

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (add_javascript, "JavaScript"),
            (add_nested_javascript, "JavaScript"),
            (add_launch, "starts a program"),
            (add_file, "embedded file"),
            (add_form, "XFA form"),
        ],
    )
    def test_b7_it_is_taken_as_evidence_and_flagged(self, change, says):
        data = pdf(change)

        found = inspect(data, "a.pdf").warnings

        assert any(says in warning for warning in found)
        assert len(viewing_copies(data, PDF)) == 1

    def test_b7_it_is_found_inside_object_streams_too(self):
        data = pdf(add_javascript, object_stream_mode=pikepdf.ObjectStreamMode.generate)

        assert b"JavaScript" not in data
        assert "JavaScript" in inspect(data, "a.pdf").warnings[0]

    def test_links_to_pages_are_harmless(self):
        def link(document):
            document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])

        assert inspect(pdf(link), "a.pdf").warnings == ()


SEEDS = {
    kind: build() for kind, build in (("png", lambda: picture("PNG")), ("jpg", lambda: picture("JPEG")), ("pdf", pdf))
}


class TestProperties:
    @settings(max_examples=300, deadline=None)
    @given(kind=st.sampled_from(sorted(SEEDS)), place=st.integers(0, 10_000), noise=st.binary(min_size=1, max_size=12))
    def test_any_damage_is_taken_or_refused_without_a_crash(self, kind, place, noise):
        data = bytearray(SEEDS[kind])
        place %= len(data)
        data[place : place + len(noise)] = noise

        try:
            found = inspect(bytes(data), f"a.{kind}")
            viewing_copies(bytes(data), found.media_type)
        except UploadRefused as refusal:
            assert len(str(refusal)) < 300

    @given(st.binary(max_size=200))
    def test_any_bytes_are_taken_or_refused(self, data):
        for signature in (b"", b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
            with pytest.raises(UploadRefused):
                inspect(signature + data)
