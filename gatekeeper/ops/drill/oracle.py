"""What the public can see, read from the simulator's own store. Our tables have no say in what was published."""

import json
import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatekeeper.ops.drill.school import Sent, words_of

_NUMBER = re.compile(r"Basket (\d+) of many")


@dataclass(frozen=True)
class Seen:
    """One post on a platform's page."""

    id: str
    kind: str
    text: str
    pictures: int
    listed_from: str | None
    never_listed: bool


@dataclass
class Verdict:
    """What is wrong with what the public sees."""

    duplicates: list[int] = field(default_factory=list)
    unapproved: list[int] = field(default_factory=list)


class Oracle:
    """Reads the store anew each time it is asked, as a reader of the page would."""

    def __init__(self, folder: Path) -> None:
        self._store = folder / "simulator.sqlite"
        self._row = 0
        self._seen: dict[int, list[Seen]] = defaultdict(list)
        self._strange: list[str] = []

    def look(self) -> None:
        """Read what has come since the last look; nothing on these pages is ever changed or removed."""
        with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True, timeout=10)) as store:
            rows = store.execute("SELECT rowid, doc FROM post WHERE rowid > ? ORDER BY rowid", (self._row,)).fetchall()
        for row, doc in rows:
            self._row = row
            self._take(json.loads(doc))

    def _take(self, doc: dict[str, Any]) -> None:
        text = doc["versions"][-1]["text"]
        seen = Seen(
            id=doc["id"],
            kind=doc["kind"],
            text=text,
            pictures=len(doc["picture_ids"]),
            listed_from=doc["listed_from"],
            never_listed=doc["never_listed"],
        )
        found = _NUMBER.search(text)
        if found is None:
            self._strange.append(text)
        else:
            self._seen[int(found[1])].append(seen)

    def of(self, number: int) -> list[Seen]:
        """The posts on the pages that bear this number."""
        return self._seen.get(number, [])

    def published(self) -> int:
        """How many numbers are to be seen."""
        return len(self._seen)

    def judge(self, known: dict[int, Sent], forbidden: set[int]) -> Verdict:
        """What is there twice, and what is there although nobody approved it (any more)."""
        verdict = Verdict(unapproved=[0] * len(self._strange))
        for number, seen in self._seen.items():
            if len(seen) > 1:
                verdict.duplicates.append(number)
            sent = known.get(number)
            right = sent is not None and all(
                one.text == words_of(number)
                and one.kind == sent.ordeal.kind
                and one.pictures == int(sent.ordeal.change == "consent")
                for one in seen
            )
            if not right or number in forbidden:
                verdict.unapproved.append(number)
        return verdict
