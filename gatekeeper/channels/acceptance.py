"""What a channel can say about a post before anybody is asked: too long, too many pictures, too big, not a JPEG."""

from collections.abc import Sequence

from gatekeeper.channels.base import Limits, MediaItem, RenderedPost, Violation

_JPEG = b"\xff\xd8\xff"
# Bytes without meaning in a text: platforms refuse them or drop them silently, and both would surprise the head.
_ODD = frozenset({0xFFFE, 0xFEFF, 0xFFFF})


def violations(
    label: str, length: int, limits: Limits, post: RenderedPost, media: Sequence[MediaItem]
) -> list[Violation]:
    """Every reason against, each tied to its field."""
    found: list[Violation] = []
    if not post.text.strip() and not media:
        found.append(Violation("text", f"A post on {label} needs words or a photo."))
    if length > limits.text:
        found.append(
            Violation("text", f"This is {length - limits.text} over the {limits.text} characters {label} allows.")
        )
    if any(_unprintable(char) for char in post.text):
        found.append(
            Violation("text", f"The text holds an invisible character {label} does not accept. Please retype it.")
        )
    if len(media) > limits.images:
        found.append(Violation("images", f"A post on {label} can have at most {limits.images} photos."))
    for index, item in enumerate(media):
        found += _of_picture(f"images[{index}]", label, limits, item)
    return found


def _of_picture(field: str, label: str, limits: Limits, item: MediaItem) -> list[Violation]:
    found: list[Violation] = []
    if item.mime not in limits.mimes or not item.data.startswith(_JPEG):
        found.append(Violation(field, f"{label} is only ever sent JPEG photos, and this is none."))
    if len(item.data) > limits.image_bytes:
        found.append(
            Violation(field, f"This photo is larger than the {limits.image_bytes // 1_000_000} MB {label} is sent.")
        )
    # counted as browsers and platforms do: an emoji is two
    if len(item.alt.encode("utf-16-le", "surrogatepass")) // 2 > limits.alt:
        found.append(Violation(f"{field}.alt", f"The description is longer than {limits.alt:,} characters."))
    return found


def _unprintable(char: str) -> bool:
    point = ord(char)
    control = point < 0x20 and char not in "\n\r\t"  # noqa: PLR2004 - where the control characters end
    return control or point in _ODD or 0xD800 <= point <= 0xDFFF  # noqa: PLR2004 - half of a surrogate pair
