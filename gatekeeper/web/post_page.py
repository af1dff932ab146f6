"""Draws a post's page, also as the answer to a request that was refused: the page then says why, and keeps what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flask import render_template

from gatekeeper.policy import limits
from gatekeeper.web.access import person, services
from gatekeeper.workflow.ask_register import PupilMatches
from gatekeeper.workflow.post_view import post_view
from gatekeeper.workflow.resolve import SHORTEST_REASON
from gatekeeper.workflow.takedown_view import removals_of


@dataclass(frozen=True)
class Trouble:
    """A refusal: the part of the page it belongs to (`face-12`, `finding-3`, `photo-2`, `send`), and what was typed."""

    where: str
    sentences: tuple[str, ...]
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """The pupils that were asked for, at the face they were asked for, and how: by name, by class, or this one."""

    face_id: int
    matches: PupilMatches
    kind: Literal["name", "class", "one"] = "name"


def post_page(
    post_id: int, *, trouble: Trouble | None = None, search: Search | None = None, status: int = 200
) -> str | tuple[str, int]:
    """The page of one post for the person at this browser."""
    post = post_view(services(), post_id, person())
    page = render_template(
        "web/posts/show.html",
        post=post,
        removals=removals_of(services(), post_id, person()),
        trouble=trouble,
        search=search,
        limits=limits.LIMITS,
        shortest_reason=SHORTEST_REASON,
    )
    return page if status == 200 else (page, status)  # noqa: PLR2004
