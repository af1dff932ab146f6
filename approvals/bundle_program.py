"""The stand-alone `verify.py`: the very modules that check bundles here, joined into one file."""

import re
from importlib import resources
from typing import Final

PARTS: Final = ("bundle_read", "bundle_ledger", "bundle_passkey", "bundle_right", "bundle_verify")
"""In the order in which they need each other."""

_FUTURE: Final = "from __future__ import annotations\n"
_OURS: Final = re.compile(r"^from approvals\.bundle_\w+ import .+\n", re.MULTILINE)
_DOCSTRING: Final = re.compile(r'\A""".*?"""\n', re.DOTALL)


def program() -> str:
    """The source of `verify.py`. It needs Python 3.9 and `cryptography`, and nothing of this project."""
    sources = {name: resources.files("approvals").joinpath(f"{name}.py").read_text() for name in PARTS}
    opening = _DOCSTRING.match(sources[PARTS[-1]])
    assert opening is not None
    joined = [_DOCSTRING.sub("", _OURS.sub("", source.replace(_FUTURE, ""))).strip() for source in sources.values()]
    return f"{opening[0]}\n{_FUTURE}\n" + "\n\n\n".join(joined) + "\n"
