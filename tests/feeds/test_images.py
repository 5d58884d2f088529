"""Images as feeds of others give them: a type and a size only where they are believable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.images import MOST_IMAGES, Given, read_images
from feeds.model import Image

BASE = "https://harbour.example/news/"
QUAY = f"{BASE}quay.jpg"


@pytest.mark.parametrize(
    ("given", "image"),
    [
        (Given("quay.jpg", "image/jpeg", "48211"), Image(QUAY, "image/jpeg", 48211)),
        (Given(QUAY, " Image/JPEG; q=1 ", 48211), Image(QUAY, "image/jpeg", 48211)),
        (Given(QUAY), Image(QUAY, "image/jpeg")),
        (Given(QUAY, "", "0"), Image(QUAY, "image/jpeg")),
        (Given(QUAY, "image/jpeg", "-1"), Image(QUAY, "image/jpeg")),
        (Given(QUAY, "image/jpeg", "12 kB"), Image(QUAY, "image/jpeg")),
        (Given(QUAY, "image/jpeg", size=True), Image(QUAY, "image/jpeg")),
        (Given(QUAY, "image/jpeg", "9" * 40), Image(QUAY, "image/jpeg")),
        (Given(f"{BASE}pic?id=1", "image/webp"), Image(f"{BASE}pic?id=1", "image/webp")),
    ],
)
def test_an_image_keeps_what_is_believable(given: Given, image: Image) -> None:
    assert read_images([given], BASE) == (image,)


@pytest.mark.parametrize(
    "given",
    [
        *(Given("talk.mp3", "audio/mpeg", "9"), Given("quay.jpg", "text/html"), Given("pic"), Given(None), Given(7)),
        *(Given("javascript:x()", "image/png"), Given("data:image/png;base64,AA", "image/png"), Given("", "image/png")),
    ],
)
def test_what_is_no_image_of_a_known_type_is_left_out(given: Given) -> None:
    assert read_images([given], BASE) == ()


def test_one_address_is_one_image_and_its_size_is_taken_from_whoever_knows_it() -> None:
    given = [Given(QUAY, "image/jpeg"), Given("quay.jpg", "image/jpeg", "5"), Given("two.png")]

    assert read_images(given, BASE) == (Image(QUAY, "image/jpeg", 5), Image(f"{BASE}two.png", "image/png"))


ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(["/a.png", "image/png", "7"]))


@given(st.lists(st.builds(Given, ANYTHING, ANYTHING, ANYTHING), max_size=40))
def test_whatever_is_given_images_are_absolute_and_few(given: list[Given]) -> None:
    images = read_images(given, BASE)

    assert len(images) <= MOST_IMAGES
    assert all(image.url.startswith(("http://", "https://")) for image in images)
    assert all(image.media_type.startswith("image/") for image in images)
    assert all(image.size_bytes is None or image.size_bytes > 0 for image in images)
