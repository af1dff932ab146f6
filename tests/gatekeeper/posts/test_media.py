"""Every trick a picture file can play ends in clean pixels or in one clear sentence."""

import io
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gatekeeper.posts import media
from gatekeeper.posts.picture_jpeg import is_bare, segments
from gatekeeper.posts.picture_rendition import MAX_BYTES
from tests.factories import pictures

CORPUS = pictures.hostile_corpus()
ACCEPTED = [specimen for specimen in CORPUS if specimen.sentence is None]
REFUSED = [specimen for specimen in CORPUS if specimen.sentence is not None]


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(value) for value in pixels[y, x]) for y in (8, -8) for x in (8, -8)]


def assert_corners(pixels: np.ndarray, tolerance: int = 14) -> None:
    for seen, drawn in zip(corners(pixels), pictures.CORNERS, strict=True):
        assert max(abs(a - b) for a, b in zip(seen, drawn, strict=True)) <= tolerance, (seen, drawn)


@pytest.mark.parametrize("specimen", ACCEPTED, ids=lambda specimen: specimen.name)
def test_a_picture_comes_out_clean(specimen: pictures.Specimen) -> None:
    size, rendition = media.publishable(specimen.data)
    assert is_bare(rendition.data)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        assert pictures.CANARY.encode(encoding) not in rendition.data
    with Image.open(io.BytesIO(rendition.data)) as shown:
        shown.load()
        assert (shown.mode, shown.size, shown.format) == ("RGB", (rendition.width, rendition.height), "JPEG")
        assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert shown.size == size  # none of the drawn pictures is larger than what is published


@pytest.mark.parametrize("specimen", REFUSED, ids=lambda specimen: specimen.name)
def test_cannot_take_in(specimen: pictures.Specimen) -> None:
    with pytest.raises(media.PictureRefused) as refused:
        media.publishable(specimen.data)
    sentence = str(refused.value)
    assert specimen.sentence is not None
    assert specimen.sentence in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_decoding_refuses_what_publishing_refuses() -> None:
    with pytest.raises(media.PictureRefused, match="64 megapixels"):
        media.decode(pictures.png(60000, 60000, b""))


def test_cannot_take_in_more_than_25_megabytes() -> None:
    with pytest.raises(media.PictureRefused, match="larger than 25 MB"):
        media.publishable(b"\xff\xd8\xff" + bytes(25_000_000))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_whatever_way_the_camera_was_held(orientation: int) -> None:
    stored = pictures.saved(
        pictures.turned(pictures.scene(), orientation), "JPEG", exif=pictures.exif(orientation), quality=95
    )
    upright = media.decode(stored)
    assert (upright.width, upright.height) == (320, 240)
    assert_corners(upright.pixels)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_turn_of_other_kinds_is_honoured_too(kind: str) -> None:
    stored = pictures.saved(pictures.turned(pictures.scene(), 6), kind, exif=pictures.exif(6))
    assert_corners(media.decode(stored).pixels)


def test_a_heic_photo_is_not_turned_twice() -> None:
    turned = pictures.turned(pictures.scene(), 6)
    upright = media.decode(pictures.heic(turned, quality=95, exif=pictures.exif(6)))
    assert (upright.width, upright.height, upright.kind) == (320, 240, media.Kind.HEIC)
    assert_corners(upright.pixels, tolerance=24)


def test_colours_under_full_transparency_are_gone() -> None:
    specimen = next(each for each in ACCEPTED if each.name == "PNG with colours under full transparency")
    assert int(media.decode(specimen.data).pixels.min()) == 255


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    rows = b"".join(b"\0" + b"".join(int(x * 1024).to_bytes(2, "big") for x in range(64)) for _ in range(64))
    upright = media.decode(pictures.png(64, 64, rows, depth=16, colour=0))
    assert [int(upright.pixels[10, x, 0]) for x in (0, 16, 32, 63)] == [0, 63, 127, 251]


def test_a_colour_profile_changes_the_pixels_and_is_dropped() -> None:
    wide = bytearray(pictures.profile_naming(""))
    at = wide.index(b"rXYZ", 128)
    offset = int.from_bytes(wide[at + 4 : at + 8], "big")
    wide[offset + 8 : offset + 12] = int(0.55 * 65536).to_bytes(4, "big")  # a redder red than sRGB's
    red = Image.new("RGB", (32, 32), (180, 60, 60))
    plain = media.decode(pictures.saved(red, "PNG")).pixels
    profiled = media.decode(pictures.saved(red, "PNG", icc_profile=bytes(wide))).pixels
    assert int(profiled[5, 5, 0]) > int(plain[5, 5, 0]) + 5


def test_the_name_of_a_file_says_nothing_about_it(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"<html><body>not a photo</body></html>")
    with pytest.raises(media.PictureRefused, match="web page"):
        media.publishable(path.read_bytes())
    assert media.publishable(pictures.saved(pictures.scene(), "PNG"))[0] == (320, 240)


def test_a_rendition_is_small_enough_for_every_platform() -> None:
    upright = np.asarray(pictures.noise(2600, 2200))
    rendition = media.render(upright)
    assert len(rendition.data) <= MAX_BYTES
    assert max(rendition.width, rendition.height) <= 2048
    assert is_bare(rendition.data)


def test_the_same_pixels_give_the_same_bytes() -> None:
    data = pictures.saved(pictures.scene(2500, 1200), "PNG")
    upright = media.decode(data)
    size, published = media.publishable(data)
    again = media.render(upright.pixels)
    assert size == (2500, 1200)
    assert (published.data, published.sha256) == (again.data, again.sha256)
    assert (published.width, published.height) == (2048, 983)
    assert (published.crop, published.scale) == (again.crop, again.scale)


def test_a_crop_shows_only_its_part_and_boxes_follow_it() -> None:
    upright = media.decode(pictures.saved(pictures.scene(4096, 2048), "PNG"))
    rendition = media.render(upright.pixels, crop=(1000.4, 100, 5000, 1900), long_side=1548)
    assert rendition.crop == (1000, 100, 4096, 1900)
    assert (rendition.width, rendition.height, rendition.scale) == (1548, 900, 0.5)
    box = media.map_box((1100, 200, 1300, 400), crop=rendition.crop, scale=rendition.scale)
    assert box == (50, 50, 150, 150)
    assert media.unmap_box(box, crop=rendition.crop, scale=rendition.scale) == (1100, 200, 1300, 400)
    assert media.map_box((0, 0, 900, 90), crop=rendition.crop, scale=rendition.scale) is None


def test_a_crop_can_never_be_empty() -> None:
    pixels = np.zeros((10, 20, 3), np.uint8)
    assert media.render(pixels, crop=(50, 50, 50, 50)).crop == (19, 9, 20, 10)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of the Python that would run the child."""

    def put(body: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(script))

    return put


JPEG = pictures.saved(pictures.scene(), "JPEG")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (f"kill -{int(signal.SIGKILL)} $$", "too complex to open safely"),
        (f"kill -{int(signal.SIGSEGV)} $$", "too complex to open safely"),
        ("exec sleep 600", "too complex to open safely"),
        ("exit 1", "could not be opened safely"),
        ("echo nonsense", "could not be opened safely"),
        ("echo '[1]'", "could not be opened safely"),
        ("""echo '{"refused": "<b>words of its own</b>"}'""", DAMAGED := "damaged or incomplete"),
        ("""echo '{"width": 100, "height": 100, "shown": [100, 100]}'; echo short""", DAMAGED),
        ("""echo '{"width": -1, "height": -5, "shown": [1, 1]}'""", DAMAGED),
        ("""echo '{"width": 1000000, "height": 100000, "shown": [1, 1]}'""", DAMAGED),
    ],
)
def test_a_child_that_dies_or_lies_is_a_refusal(stand_in: Callable[[str], None], body: str, sentence: str) -> None:
    stand_in(body)
    for ask in (media.decode, media.publishable):
        with pytest.raises(media.PictureRefused, match=sentence):
            ask(JPEG, timeout=0.5)


def test_cannot_publish_what_a_child_added_to_the_rendition(stand_in: Callable[[str], None], tmp_path: Path) -> None:
    dirty = tmp_path / "dirty.jpg"
    dirty.write_bytes(pictures.saved(pictures.scene(), "JPEG", comment=pictures.CANARY))
    stand_in(f"""echo '{{"width": 320, "height": 240, "shown": [320, 240]}}'; cat {dirty}""")
    with pytest.raises(media.PictureRefused):
        media.publishable(JPEG)


def test_a_picture_that_takes_too_long_is_refused() -> None:
    slow = pictures.many_scans(Image.new("L", (7900, 7900), 90), 150)
    with pytest.raises(media.PictureRefused, match="too complex"):
        media.publishable(slow, timeout=1.5)


def test_the_child_inherits_no_secret_and_no_open_file(
    stand_in: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X_API_SECRET", "s3cret")
    leak = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(leak, True)
    stand_in(f"env > {tmp_path}/env; ls /proc/$$/fd > {tmp_path}/fds; pwd > {tmp_path}/cwd")
    with pytest.raises(media.PictureRefused):
        media.publishable(JPEG)
    os.close(leak)
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "PYTHONPATH", "LANG"}
    assert str(leak) not in (tmp_path / "fds").read_text().split()
    assert (tmp_path / "cwd").read_text() == "/\n"


def test_the_calling_process_stays_small() -> None:
    data = pictures.saved(pictures.scene(5000, 4000), "JPEG")
    before = _resident_megabytes()
    for _ in range(3):
        media.publishable(data)
    assert _resident_megabytes() - before < 50


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_only_a_bare_jpeg_counts_as_bare() -> None:
    bare = pictures.saved(pictures.scene(), "JPEG")
    assert is_bare(bare)
    assert not is_bare(bare + b"x")
    assert not is_bare(pictures.saved(pictures.scene(), "JPEG", exif=pictures.exif()))
    assert not is_bare(pictures.saved(pictures.scene(), "PNG"))
    first = next(segments(bare))
    assert not is_bare(bare[: first.end] + b"stray" + bare[first.end :])
    assert not is_bare(b"")


def test_the_thumbnail_of_a_heic_photo_is_really_in_the_file() -> None:
    specimen = next(each for each in ACCEPTED if "thumbnail" in each.name)
    assert b"thmb" in specimen.data
    assert pictures.CANARY.encode() in specimen.data
