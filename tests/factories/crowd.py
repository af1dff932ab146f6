"""Many threads that do something at the same moment, round after round."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Self


class Crowd:
    """Threads that wait at one gate, go all at once, and come back for the next round."""

    def __init__(self, size: int) -> None:
        self._gate, self._done = threading.Barrier(size + 1), threading.Barrier(size + 1)
        self._calls: Sequence[Callable[[], Any]] = ()
        self._results: list[Any] = [None] * size
        self._over = False
        self._threads = [threading.Thread(target=self._live, args=(place,), daemon=True) for place in range(size)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._gate.wait()
        for thread in self._threads:
            thread.join()

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each call returned or raised."""
        assert len(calls) == len(self._threads)
        self._calls = calls
        self._gate.wait()
        self._done.wait()
        return list(self._results)

    def _live(self, place: int) -> None:
        while True:
            self._gate.wait()
            if self._over:
                return
            try:
                self._results[place] = self._calls[place]()
            except Exception as error:  # noqa: BLE001 - whatever it was is looked at by the test
                self._results[place] = error
            self._done.wait()
