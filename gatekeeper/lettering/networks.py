"""Runs the ONNX files inside the rapidocr wheel. Nothing is ever downloaded: a missing file is an error.

Of that package only the files are used. Its own pipeline fetches models over the network when it misses one, logs, and
needs several more packages; what it does around the two networks is little, and here it is tuned to photos.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DETECTION: Final = "PP-OCRv6_det_small.onnx"
RECOGNITION: Final = "PP-OCRv6_rec_small.onnx"


class Network:
    """One network with one input and one output."""

    def __init__(self, name: str, *, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not eat a core
        self._session: Any = onnxruntime.InferenceSession(
            (_folder() / name).read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its output."""
        return np.asarray(self._session.run(None, {self._input: values})[0], np.float32)

    def note(self, key: str) -> str:
        """What the file says about itself under this key."""
        return str(self._session.get_modelmeta().custom_metadata_map[key])


def _folder() -> Path:
    package = find_spec("rapidocr")  # found, never imported
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise FileNotFoundError("the rapidocr package, which carries the networks that read letters, is not installed")
    return Path(folders[0]) / "models"
