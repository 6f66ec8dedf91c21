"""Pictures of uploaded documents that are safe to look at: rows B7 and B14 of the bad-input catalogue."""

import io

import pytest
from PIL import Image

from accounts.formats.upload import JPEG, PDF, PNG, UploadRefused, viewing_copies
from tests.accounts.formats.sample_documents import chunk, pdf, picture


class TestViewingCopies:
    def test_b14_a_photo_loses_place_thumbnail_and_profile_but_stands_upright(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010F] = "CameraMaker"
        exif.get_ifd(0x8825)[1] = "N"
        data = picture("JPEG", exif=exif, icc_profile=b"made-up profile", comment=b"secret place", dpi=(72, 72))

        (copy,) = viewing_copies(data, JPEG)

        with Image.open(io.BytesIO(copy)) as image:
            image.load()
            assert image.format == "PNG"
            assert image.size == (30, 40)
            assert image.info == {}
            assert not image.getexif()
        assert b"secret" not in copy and b"CameraMaker" not in copy and b"made-up" not in copy

    def test_text_in_a_png_is_lost(self):
        data = picture("PNG")
        data = data[:33] + chunk(b"tEXt", b"Author\x00secret name") + data[33:]

        assert b"secret" not in viewing_copies(data, PNG)[0]

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_every_kind_of_png_is_copied(self, mode):
        (copy,) = viewing_copies(picture("PNG", mode=mode), PNG)

        with Image.open(io.BytesIO(copy)) as image:
            assert (image.mode, image.size) == ("RGB", (40, 30))

    def test_sixteen_bit_greys_keep_their_shades(self):
        output = io.BytesIO()
        image = Image.new("I;16", (3, 1))
        for place, grey in enumerate((0, 32_896, 65_535)):
            image.putpixel((place, 0), grey)
        image.save(output, format="PNG")

        with Image.open(io.BytesIO(viewing_copies(output.getvalue(), PNG)[0])) as copy:
            assert [copy.getpixel((place, 0))[0] for place in range(3)] == [0, 128, 255]

    def test_transparent_parts_become_white(self):
        data = picture("PNG", mode="LA")

        with Image.open(io.BytesIO(viewing_copies(data, PNG)[0])) as image:
            assert image.getpixel((0, 0)) == (255, 255, 255)

    def test_large_pictures_shrink(self):
        (copy,) = viewing_copies(picture("JPEG", size=(5_000, 2_500)), JPEG)

        with Image.open(io.BytesIO(copy)) as image:
            assert image.size == (2_000, 1_000)

    def test_at_most_ten_pages_of_a_pdf(self):
        def add_pages(document):
            for _ in range(11):
                document.add_blank_page(page_size=(200, 300))

        copies = viewing_copies(pdf(add_pages), PDF)

        assert len(copies) == 10
        with Image.open(io.BytesIO(copies[9])) as image:
            assert image.size == (400, 600)

    @pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 3), (3, 14_400)])
    def test_huge_pages_stay_within_the_limit(self, size):
        def add_page(document):
            document.add_blank_page(page_size=size)
            del document.pages[0]

        (copy,) = viewing_copies(pdf(add_page), PDF)

        with Image.open(io.BytesIO(copy)) as image:
            assert max(image.size) <= 2_000

    @pytest.mark.parametrize(
        ("data", "media_type"),
        [(b"%PDF-1.7", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"x", "image/svg+xml"), (b"", PDF)],
    )
    def test_what_cannot_be_drawn_is_refused(self, data, media_type):
        with pytest.raises(UploadRefused):
            viewing_copies(data, media_type)
