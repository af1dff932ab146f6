"""The demo's drawn pictures: an ordinary post must pass without noise, in the demo above all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gatekeeper.faces.detect import FaceFinder
from gatekeeper.ops.demo_pictures import draw_flower_bed, draw_poster


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder.load()


@pytest.mark.parametrize("draw", [draw_flower_bed, draw_poster])
def test_nobody_is_found_where_nobody_is(finder: FaceFinder, tmp_path: Path, draw: Callable[[Path], None]) -> None:
    draw(tmp_path / "drawn.png")
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert finder.detect(np.asarray(drawn.convert("RGB"))) == []
