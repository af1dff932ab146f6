"""A covered part is gone, a little beyond its edge, and nothing else is touched."""

import numpy as np

from gatekeeper.faces import redact
from gatekeeper.faces.boxes import Box


def test_a_part_is_one_plain_rectangle_a_little_larger_than_it_was_drawn() -> None:
    picture = np.random.default_rng(1).integers(90, 255, (200, 300, 3), dtype=np.uint8)
    covered = redact.cover(picture, (), [Box(100, 50, 160, 80)])
    assert len(np.unique(covered[47:83, 97:163].reshape(-1, 3), axis=0)) == 1
    rest = np.ones((200, 300), bool)
    rest[46:84, 96:164] = False
    assert (covered[rest] == picture[rest]).all()
    assert picture.min() >= 90, "the original stays as it is"


def test_a_part_at_the_edge_of_the_picture_is_covered_to_the_edge() -> None:
    covered = redact.cover(np.full((50, 50, 3), 200, np.uint8), (), [Box(-5, -5, 20, 60)])
    assert (covered[:, :20] < 30).all()
    assert (covered[:, 30:] == 200).all()
