"""The child program that opens one picture and ends: limited in time, memory and files, with nothing worth stealing.

`python -m gatekeeper.posts.decoder upright|publish KIND PARENT_PID` reads the picture from standard input and answers
on standard output with one line of JSON, followed by the bare pixels or by the rendition. A picture that crashes or
stalls the decoder kills only this process, and its death is a refusal.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_CPU_SECONDS = 10
_MEMORY = 2 << 30
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above took hold
            os._exit(1)


def _limit_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _shut_every_door() -> None:
    """From here on no file, pipe or socket can be opened: three descriptors exist and no fourth is allowed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _answer(header: dict[str, object], body: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


def main() -> None:
    """Read one picture, answer once."""
    mode, kind_name, parent = sys.argv[1:4]
    _die_with(int(parent))
    _limit_resources()

    from PIL import Image

    from gatekeeper.posts import picture_pixels
    from gatekeeper.posts.picture_errors import SENTENCES, PictureRefused
    from gatekeeper.posts.picture_kinds import Kind
    from gatekeeper.posts.picture_rendition import encode

    kind = Kind(kind_name)
    picture_pixels.prepare(kind)
    _shut_every_door()
    data = sys.stdin.buffer.read()
    try:
        image = picture_pixels.upright(data, kind)
        if mode == "upright":
            _answer({"width": image.width, "height": image.height}, image.tobytes())
            return
        made = encode(image)
        _answer({"width": image.width, "height": image.height, "crop": made.crop, "scale": made.scale,
                 "shown": [made.width, made.height]}, made.data)  # fmt: skip
    except PictureRefused as refused:
        reasons = {sentence: key for key, sentence in SENTENCES.items()}
        _answer({"refused": reasons[str(refused)]})
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        _answer({"refused": "too-many-pixels"})
    except MemoryError:
        _answer({"refused": "complex"})
    except Exception:  # noqa: BLE001  # Pillow raises two dozen kinds of error on damaged files; each means the same here
        _answer({"refused": "broken"})


if __name__ == "__main__":
    main()
