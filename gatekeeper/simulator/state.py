"""What the simulated platforms remember: posts with their versions, pictures with their bytes, every request.

Everything is written through to one SQLite file, so that a restart, or a kill, finds the timelines as they were.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_EPOCH_MS = 1288834974657  # where X's ids begin to count
_TABLES = """
CREATE TABLE IF NOT EXISTS picture(id TEXT PRIMARY KEY, doc TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS post(id TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS request(seq INTEGER PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memo(name TEXT PRIMARY KEY, doc TEXT NOT NULL);
"""


@dataclass
class SimPicture:
    """A picture as the platform got it, by the digest of exactly those bytes."""

    id: str
    kind: str
    account_id: str
    mime: str
    width: int
    height: int
    size: int
    sha256: str
    created_at: str
    alt: str = ""
    post_id: str | None = None


@dataclass
class SimVersion:
    """One wording of a post; on X every edit has an id of its own."""

    id: str
    text: str
    at: str


@dataclass
class SimPost:
    """A post, from its first version to its removal."""

    id: str
    kind: str
    account_id: str
    versions: list[SimVersion]
    picture_ids: list[str]
    created_at: str
    published: bool = True
    scheduled_for: str | None = None
    deleted_at: str | None = None
    listed_from: str | None = None
    never_listed: bool = False
    application: str = ""
    author_id: str = ""  # a visitor who wrote it on the page; empty where the account itself did

    @property
    def text(self) -> str:
        """The newest wording."""
        return self.versions[-1].text

    def is_live(self, now: datetime) -> bool:
        """Whether the public can see it."""
        due = self.scheduled_for is not None and moment(self.scheduled_for) <= now
        return self.deleted_at is None and (self.published or due)

    def is_listed(self, now: datetime) -> bool:
        """Whether a timeline shows it; a platform may show it late, or never."""
        late = self.listed_from is not None and moment(self.listed_from) > now
        return self.is_live(now) and not self.never_listed and not late


@dataclass
class Known:
    """What is remembered beside posts and pictures."""

    last_id: int = 0
    x_token: str = "valid"  # noqa: S105 - the state of the token: valid, expired, revoked, suspended
    facebook_token: str = "valid"  # noqa: S105
    linkedin_token: str = "valid"  # noqa: S105
    linkedin_uploads: list[str] = field(default_factory=list)  # begun, and no bytes yet
    oauth2: dict[str, str] = field(default_factory=dict)  # live OAuth 2 tokens: "access" and "refresh"


def moment(text: str) -> datetime:
    """The moment that was kept as text."""
    return datetime.fromisoformat(text)


class State:
    """The memory; every caller holds `lock` while it looks and changes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.lock = threading.RLock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            folder / "simulator.sqlite" if folder else ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(_TABLES)
        self._load()

    def _load(self) -> None:
        read = self._db.execute
        self.pictures = {
            row[0]: SimPicture(**json.loads(row[1])) for row in read("SELECT id, doc FROM picture ORDER BY rowid")
        }
        self._posts: dict[str, SimPost] = {}
        for (doc,) in read("SELECT doc FROM post ORDER BY rowid"):
            kept = json.loads(doc)
            kept["versions"] = [SimVersion(**version) for version in kept["versions"]]
            self._posts[kept["id"]] = SimPost(**kept)
        self.requests: list[dict[str, Any]] = [
            json.loads(doc) for (doc,) in read("SELECT doc FROM request ORDER BY seq")
        ]
        memo = read("SELECT doc FROM memo WHERE name = 'known'").fetchone()
        self.known = Known(**json.loads(memo[0])) if memo else Known()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One request's effects: kept together, or not at all when it ends in an error or a kill."""
        with self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._load()
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._db.close()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            for table in ("picture", "post", "request", "memo"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - four fixed names
            self._load()

    def next_id(self, now: datetime) -> str:
        """A number as X makes them: rising, and telling its moment."""
        snowflake = (int(now.timestamp() * 1000) - _EPOCH_MS) << 22
        self.known.last_id = max(self.known.last_id + 1, snowflake)
        self.save_known()
        return str(self.known.last_id)

    def save_known(self) -> None:
        """Keep what was changed in `known`."""
        self._put("memo", "name", "known", asdict(self.known))

    def add_picture(
        self,
        *,
        kind: str,
        account_id: str,
        data: bytes,
        mime: str,
        size: tuple[int, int],
        now: datetime,
        alt: str = "",
        picture_id: str = "",
    ) -> SimPicture:
        """Take in a picture that no post shows yet."""
        picture = SimPicture(
            id=picture_id or self.next_id(now),
            kind=kind,
            account_id=account_id,
            mime=mime,
            width=size[0],
            height=size[1],
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            created_at=now.isoformat(),
            alt=alt,
        )
        self._db.execute("INSERT INTO picture VALUES(?, ?, ?)", (picture.id, json.dumps(asdict(picture)), data))
        self.pictures[picture.id] = picture
        return picture

    def save_picture(self, picture: SimPicture) -> None:
        """Keep what was changed in a picture's description."""
        self._db.execute("UPDATE picture SET doc = ? WHERE id = ?", (json.dumps(asdict(picture)), picture.id))

    def drop_picture(self, picture_id: str) -> None:
        """Forget a picture that no post shows."""
        self._db.execute("DELETE FROM picture WHERE id = ?", (picture_id,))
        del self.pictures[picture_id]

    def picture_data(self, picture_id: str) -> bytes:
        """The very bytes that were received."""
        with self.lock:
            row = self._db.execute("SELECT data FROM picture WHERE id = ?", (picture_id,)).fetchone()
        return bytes(row[0])

    def add_post(self, post: SimPost) -> SimPost:
        """Take in a post and tie its pictures to it."""
        for picture_id in post.picture_ids:
            self.pictures[picture_id].post_id = post.id
            self.save_picture(self.pictures[picture_id])
        self._posts[post.id] = post
        self.save_post(post)
        return post

    def save_post(self, post: SimPost) -> None:
        """Keep what was changed in a post."""
        self._put("post", "id", post.id, asdict(post))

    def find_post(self, post_id: str) -> SimPost | None:
        """The post with this id, or with this id as one of its versions; removed ones too."""
        return self._posts.get(post_id) or next(
            (post for post in self._posts.values() if any(version.id == post_id for version in post.versions)), None
        )

    def all_posts(self, kind: str | None = None) -> list[SimPost]:
        """Every post ever, oldest first."""
        with self.lock:
            return [post for post in self._posts.values() if kind in {None, post.kind}]

    def live(self, kind: str | None, now: datetime) -> list[SimPost]:
        """The posts the public can see, oldest first."""
        return [post for post in self.all_posts(kind) if post.is_live(now)]

    def log(self, entry: dict[str, Any]) -> None:
        """Keep one request as it arrived."""
        with self.lock:
            entry["seq"] = len(self.requests) + 1
            self.requests.append(entry)
            self._put("request", "seq", entry["seq"], entry)

    def dump(self, now: datetime) -> dict[str, Any]:
        """Everything but the bytes and the request log, for a script to look at."""
        with self.lock:
            return {
                "clock": now.astimezone(UTC).isoformat(),
                "tokens": {
                    "x": self.known.x_token,
                    "facebook": self.known.facebook_token,
                    "linkedin": self.known.linkedin_token,
                },
                "posts": [{**asdict(post), "live": post.is_live(now)} for post in self._posts.values()],
                "pictures": [asdict(picture) for picture in self.pictures.values()],
                "requests_seen": len(self.requests),
            }

    def pictures_of(self, post: SimPost) -> Iterator[SimPicture]:
        """The pictures of a post in their order."""
        return (
            self.pictures[each] for each in post.picture_ids if each in self.pictures
        )  # of a removed post, some are gone

    def _put(self, table: str, key: str, value: object, doc: dict[str, Any]) -> None:
        self._db.execute(
            f"INSERT INTO {table}({key}, doc) VALUES(?, ?) ON CONFLICT({key}) DO UPDATE SET doc = excluded.doc",
            (value, json.dumps(doc)),
        )
