"""Presidio with spaCy in an environment of its own, asked one text at a time over a pipe."""

import json
import subprocess
import time
from types import TracebackType
from typing import Any, Self

_START = 120  # seconds a first start may take

# What the other Python runs: names no module of this project.
_SERVER = """
import json, sys, time
from importlib.metadata import version
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
model = {"lang_code": "en", "model_name": sys.argv[1]}
nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}).create_engine()
engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
engine.analyze(text="Hello", language="en", entities=["PERSON"])
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
out = sys.stdout
print(json.dumps({"version": version("presidio-analyzer"), "megabytes": peak}), file=out, flush=True)
for line in sys.stdin:
    begun = time.perf_counter()
    found = engine.analyze(text=json.loads(line), language="en", entities=["PERSON"])
    spent = 1000 * (time.perf_counter() - begun)
    print(json.dumps({"persons": [[one.start, one.end] for one in found], "ms": spent}), file=out, flush=True)
"""


class PresidioError(Exception):
    """The other environment cannot be used; the text says why in one sentence."""


class Presidio:
    """A running engine; its own clock measures it, so the pipe costs it nothing."""

    def __init__(self, python: str, model: str) -> None:
        self._command = [python, "-c", _SERVER, model]
        self.version, self.seconds, self.megabytes = "", 0.0, 0.0

    def __enter__(self) -> Self:
        begun = time.perf_counter()
        try:
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError as err:
            raise PresidioError(f"{self._command[0]} cannot be started.") from err
        told = self._answer()
        self.version, self.megabytes = str(told["version"]), float(told["megabytes"])
        self.seconds = time.perf_counter() - begun
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.wait(timeout=_START)

    def persons(self, text: str) -> tuple[list[tuple[int, int]], float]:
        """The spans it takes for persons, and the milliseconds it took."""
        if self._child.stdin is None:
            raise PresidioError("It was not started.")
        self._child.stdin.write(json.dumps(text) + "\n")
        self._child.stdin.flush()
        told = self._answer()
        return [(int(start), int(end)) for start, end in told["persons"]], float(told["ms"])

    def _answer(self) -> dict[str, Any]:
        line = self._child.stdout.readline() if self._child.stdout is not None else ""
        if not line:
            raise PresidioError("It ended by itself: Presidio, spaCy or the model is missing in that environment.")
        told: dict[str, Any] = json.loads(line)
        return told
