"""LinkedIn's "little text": what a post's words look like on the wire, and back.

Some signs have a meaning there. Unescaped, LinkedIn cuts the post off at the first of them and answers that all is
well; so every one is escaped, and a hashtag is written out as the template that LinkedIn itself reads back.
"""

import re

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_TAG = re.compile(r"(?<![\w&#])#(\w*[^\W\d_]\w*)")
_HASHTAG = re.compile(r"\{hashtag\|(?:\\?[#＃])\|((?:\\.|[^\\}])*)\}")
_MENTION = re.compile(r"@\[((?:\\.|[^\\\]])*)\]\((?:\\.|[^\\)])*\)")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")


def little_text(text: str) -> str:
    """The words as LinkedIn takes them whole."""
    written, last = [], 0
    for found in _TAG.finditer(text):
        written += [_escaped(text[last : found.start()]), rf"{{hashtag|\#|{_escaped(found[1])}}}"]
        last = found.end()
    return "".join([*written, _escaped(text[last:])])


def readable(commentary: str) -> str:
    """The words as a reader sees them."""
    plain = _HASHTAG.sub(lambda found: "\\#" + found[1], commentary)
    plain = _MENTION.sub(lambda found: found[1], plain)
    return _ESCAPED.sub(lambda found: found[1], plain)


def _escaped(text: str) -> str:
    return _RESERVED.sub(lambda found: "\\" + found[0], text)
