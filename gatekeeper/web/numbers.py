"""Numbers in addresses: one that no database could hold is that of nothing, and answers 404 like any other."""

from typing import Any, Final

from flask import Flask
from werkzeug.routing import IntegerConverter

LARGEST: Final = 2**31 - 1
"""What an id can be on either database."""


class BoundIntegerConverter(IntegerConverter):
    """`<int:...>` up to the largest id."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **({"max": LARGEST} | more))


def bound_numbers(app: Flask) -> None:
    """Read every number in an address so; before any route is added."""
    app.url_map.converters["int"] = BoundIntegerConverter
