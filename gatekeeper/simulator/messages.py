"""A request as the simulated platforms see it, and the reply they give."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from PIL import Image
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Part:
    """One file in a multipart body."""

    filename: str
    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names in small letters."""

    method: str
    host: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @cached_property
    def mime(self) -> str:
        """What the body claims to be."""
        return parse_options_header(self.headers.get("content-type", ""))[0].lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters in the URL."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def _parsed(self) -> tuple[dict[str, str], dict[str, Part]]:
        if self.mime == _FORM:
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)), {}
        if self.mime != "multipart/form-data":
            return {}, {}
        mime, options = parse_options_header(self.headers["content-type"])
        parser = FormDataParser(stream_factory=lambda *_args, **_kwargs: io.BytesIO(), silent=True)
        _, fields, files = parser.parse(io.BytesIO(self.body), mime, len(self.body), options)
        parts = {name: Part(each.filename or "", each.mimetype, each.read()) for name, each in files.items()}
        return fields.to_dict(), parts

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form body, multipart or not."""
        return self._parsed[0]

    @property
    def files(self) -> dict[str, Part]:
        """The files of a multipart body."""
        return self._parsed[1]

    @cached_property
    def json(self) -> Any:
        """The JSON body; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def words(self) -> str:
        """The words of the post that this request would publish; empty where it publishes none."""
        body = self.json if self.mime == "application/json" else None
        # X names them "text", LinkedIn "commentary", Facebook sends a form
        said = body.get("text", body.get("commentary", "")) if isinstance(body, dict) else self.form.get("message", "")
        return said if isinstance(said, str) else ""

    @property
    def signed_body(self) -> str:
        """The part of the body that OAuth 1.0a signs: a plain form, never JSON and never multipart."""
        return self.body.decode("utf-8", "replace") if self.mime == _FORM else ""

    def record(self) -> dict[str, Any]:
        """What the log keeps: all of it, but files as their digests."""
        text = None if self.mime == "multipart/form-data" else self.body.decode("utf-8", "replace")
        return {
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "query": self.query_string,
            "headers": dict(self.headers),
            "body": text,
            "form": self.form,
            "files": {
                name: {
                    "filename": part.filename,
                    "mime": part.mime,
                    "size": len(part.data),
                    "sha256": hashlib.sha256(part.data).hexdigest(),
                }
                for name, part in self.files.items()
            },
        }


@dataclass(frozen=True)
class Reply:
    """One HTTP reply; `created` names the post this request made, so that a fault can hide it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None


class Refused(Exception):
    """A request is not acceptable; carries the reply that says so."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply.status))


def json_reply(
    status: int, data: object, headers: Mapping[str, str] | None = None, *, created: str | None = None
) -> Reply:
    """A reply in JSON."""
    told = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Reply(status, json.dumps(data, ensure_ascii=False).encode(), told, created)


@dataclass(frozen=True)
class Picture:
    """What a picture's own bytes say it is."""

    mime: str
    size: tuple[int, int]


def look_at(data: bytes) -> Picture | None:
    """What picture this is, by content; None when it is none."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return Picture(Image.MIME.get(image.format or "", ""), image.size)
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
