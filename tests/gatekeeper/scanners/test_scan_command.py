"""The two commands for scripts keep their contract to the letter, whatever they are given."""

import io
import json
import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gatekeeper.posts.picture_jpeg import is_bare
from gatekeeper.scanners import commands
from gatekeeper.scanners.commands import sanitise_command, scan_command
from tests.factories import pictures


@pytest.fixture(scope="session")
def portrait() -> Path:
    package = find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"


def scan(*paths: Path, gallery: Path | None = None) -> tuple[int, list[dict[str, Any]]]:
    out = io.StringIO()
    code = scan_command(paths, gallery=gallery, out=out)
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_line_per_photo_in_the_order_given(tmp_path: Path, portrait: Path) -> None:
    drawing, empty = tmp_path / "a.svg", tmp_path / "empty.jpg"
    drawing.write_bytes(b"<svg/>")
    empty.touch()
    scene = tmp_path / "scene.png"
    pictures.scene().save(scene)
    missing, folder = tmp_path / "missing.jpg", tmp_path
    code, lines = scan(portrait, drawing, scene, missing, portrait, empty, folder)
    assert code == 3
    assert [line["file"] for line in lines] == [
        str(path) for path in (portrait, drawing, scene, missing, portrait, empty, folder)
    ]
    assert [line["status"] for line in lines] == [
        "scanned", "refused", "scanned", "refused", "scanned", "refused", "refused",
    ]  # fmt: skip
    face = lines[0]["faces"][0]
    assert (lines[0]["width"], lines[0]["height"], len(lines[0]["faces"])) == (512, 600, 1)
    assert face["state"] == "unknown"
    assert 0.5 < face["score"] <= 1
    assert all(isinstance(side, float) for side in face["box"])
    assert lines[0]["faces"] == lines[4]["faces"]
    assert lines[1]["reason"] == "This is a drawing file (SVG). Please save it as a JPEG or PNG picture."
    assert lines[1]["faces"] == lines[3]["faces"] == []
    assert "No such file" in lines[3]["reason"]
    assert all(line["ms"] >= 0 for line in lines)
    assert lines[1]["ms"] < 100


def test_zero_when_every_photo_was_scanned_and_exif_turns_do_not_matter(tmp_path: Path, portrait: Path) -> None:
    with Image.open(portrait) as image:
        upright = image.convert("RGB")
    paths = [tmp_path / f"{orientation}.png" for orientation in (1, 6)]
    for path, orientation in zip(paths, (1, 6), strict=True):
        pictures.turned(upright, orientation).save(path, exif=pictures.exif(orientation))
    code, lines = scan(*paths)
    assert code == 0
    assert lines[0]["faces"] == lines[1]["faces"]
    assert len(lines[0]["faces"]) == 1
    assert (lines[1]["width"], lines[1]["height"]) == (512, 600)


def test_a_gallery_names_the_nearest_people(tmp_path: Path, portrait: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for person in ("Grace Hopper", "Nobody"):
        (tmp_path / "gallery" / person).mkdir(parents=True)
    (tmp_path / "gallery" / "Grace Hopper" / "one.jpg").write_bytes(portrait.read_bytes())
    pictures.scene().save(tmp_path / "gallery" / "Nobody" / "field.png")
    (tmp_path / "gallery" / "Nobody" / "notes.txt").write_text("not a photo")
    code, lines = scan(portrait, gallery=tmp_path / "gallery")
    assert code == 0
    assert lines[0]["faces"][0]["candidates"] == [{"person": "Grace Hopper", "distance": 0.0}]
    complaints = capsys.readouterr().err
    assert "field.png is left out" in complaints
    assert "notes.txt is left out" in complaints


def test_a_gallery_that_is_no_folder_is_a_wrong_argument(tmp_path: Path, portrait: Path) -> None:
    assert scan(portrait, gallery=tmp_path / "absent") == (2, [])


def test_words_for_a_person(tmp_path: Path) -> None:
    scene, text = tmp_path / "scene.png", tmp_path / "notes.jpg"
    pictures.scene().save(scene)
    text.write_text("hello")
    out = io.StringIO()
    assert scan_command([scene, text], as_json=False, out=out) == 3
    assert out.getvalue().splitlines() == [
        f"{scene}: no face found.",
        f"{text}: refused. This is a text file, not a picture. Please choose a photo.",
    ]


def test_detection_that_does_not_start_is_never_no_faces(
    tmp_path: Path, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatekeeper.faces import client

    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setattr(client.FaceClient.__init__, "__kwdefaults__", {"timeout": 1.0, "start_timeout": 0.5})
    code, lines = scan(portrait)
    assert code == 3
    assert lines[0]["status"] == "refused"
    assert "not been scanned" in lines[0]["reason"]


def test_what_is_sanitised_is_clean(tmp_path: Path) -> None:
    source, target = tmp_path / "in.dat", tmp_path / "out.jpg"
    source.write_bytes(pictures.saved(pictures.scene(), "JPEG", exif=pictures.exif(artist=pictures.CANARY)))
    mask = os.umask(0o027)
    try:
        assert sanitise_command(source, target) == 0
    finally:
        os.umask(mask)
    assert is_bare(target.read_bytes())
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.dat", "out.jpg"]


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "empty"), (b"<html>", "web page"), (b"\xff\xd8\xff" + bytes(25_000_000), "25 MB")]
)
def test_a_refusal_is_one_sentence_and_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, words: str
) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    source.write_bytes(data)
    target.write_bytes(b"an older picture that would pass for this one's rendition")
    assert sanitise_command(source, target) == 3
    assert not target.exists()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert words in said.err


def test_a_refusal_never_deletes_what_was_given(tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(b"not a picture")
    assert sanitise_command(source, source) == 3
    assert source.exists()


def test_wrong_arguments_of_sanitise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in.png"
    pictures.scene().save(source)
    assert sanitise_command(tmp_path / "absent.jpg", tmp_path / "out.jpg") == 2
    assert sanitise_command(source, tmp_path / "absent" / "out.jpg") == 2
    assert sanitise_command(source, tmp_path) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_a_pipe_that_never_ends_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert sanitise_command(tmp_path / "pipe", tmp_path / "out.jpg") == 3
    assert sanitise_command(Path("/dev/zero"), tmp_path / "out.jpg") == 3


def test_a_reader_that_leaves_early_sees_no_traceback(tmp_path: Path) -> None:
    scene = tmp_path / "scene.png"
    pictures.scene().save(scene)
    program = "import sys; from pathlib import Path; from gatekeeper.scanners.commands import scan_command; "
    program += "sys.exit(scan_command([Path(sys.argv[1])] * 3))"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(scene)],
        cwd=Path(commands.__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""
