"""Faces are turned into numbers in the children: the library's own numbers, and never a guess when a child fails."""

import json
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.detect import Pixels
from gatekeeper.faces.match import encode
from gatekeeper.sandbox.wire import request

BOX = Box(10.0, 10.0, 60.0, 60.0)


def test_a_crop_gives_the_numbers_of_the_whole_picture_in_the_order_of_the_boxes(
    service: FaceClient, portrait: Pixels
) -> None:
    [face] = service.detect(portrait)
    wide = np.full((900, 1200, 3), 120, np.uint8)
    wide[290:890, 660:1172] = portrait[:600, :512]
    boxes = [Box(0, 0, 30, 30), face.box.moved(660, 290), Box(5, 5, 105, 105)]
    small, found, blank = service.encode(wide, boxes)
    expected = encode(wide, boxes)
    assert small is None
    assert found is not None
    assert blank is not None
    assert expected[1] is not None
    assert expected[2] is not None
    np.testing.assert_allclose(found, expected[1], atol=5e-4)
    np.testing.assert_allclose(blank, expected[2], atol=5e-4)


def test_no_face_is_no_question(tmp_path: Path, portrait: Pixels) -> None:
    nowhere = FaceClient(tmp_path / "absent.sock", start_timeout=0.1)
    assert nowhere.encode(portrait, []) == []
    assert nowhere.encode(portrait, [Box(0, 0, 39, 200)]) == [None]


def test_no_service_means_not_scanned_and_never_none(tmp_path: Path, portrait: Pixels) -> None:
    with pytest.raises(NotScanned, match="is not running"):
        FaceClient(tmp_path / "absent.sock", start_timeout=0.1).encode(portrait, [BOX, BOX])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"faces": []},
        {"encodings": None},
        {"encodings": []},
        {"encodings": [None, None]},
        {"encodings": [[0.1] * 127]},
        {"encodings": [[0.1] * 127 + [float("nan")]]},
        {"encodings": [["x"] * 128]},
        {"encodings": [[[0.1] * 128]]},
    ],
    ids=range(9),
)
def test_numbers_that_make_no_sense_mean_not_scanned(tmp_path: Path, message: dict[str, object]) -> None:
    pixels = np.zeros((70, 70, 3), np.uint8)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "lying.sock"))
        listener.listen(1)

        def lie() -> None:
            connection, _ = listener.accept()
            with connection:
                left = len(request("encode", height=70, width=70, parameters={"boxes": [BOX.as_list()]})) + pixels.size
                while left:
                    left -= len(connection.recv(left))
                connection.sendall(json.dumps(message).encode() + b"\n")

        liar = threading.Thread(target=lie)
        liar.start()
        with pytest.raises(NotScanned, match="makes no sense"):
            FaceClient(tmp_path / "lying.sock", timeout=5).encode(pixels, [BOX])
        liar.join(5)


def test_a_child_asked_for_something_else_refuses(service: FaceClient) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.socket_path))
        connection.sendall(request("guess", height=1, width=1) + b"\0\0\0")
        assert b"not_scanned" in connection.recv(1000)
