"""A real portrait out of a package and a running detection service, started once for these tests."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.service import face_service

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when YuNet is loaded; threads that spin slow a busy machine down


def portrait_path() -> Path:
    """The public-domain portrait of Rear Admiral Grace Hopper that comes with matplotlib."""
    package = find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def portrait() -> Pixels:
    with Image.open(portrait_path()) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    cv2.setNumThreads(1)
    return FaceFinder.load()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaceClient]:
    with face_service(tmp_path_factory.mktemp("service") / "faces", children=1) as client:
        client.wait_until_ready()
        yield client
