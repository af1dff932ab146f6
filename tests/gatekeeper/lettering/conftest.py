"""The networks, loaded once for these tests, with every way to the network shut."""

import socket

import pytest

from gatekeeper.lettering.read import LetterReader


@pytest.fixture(scope="session")
def reader() -> LetterReader:
    with pytest.MonkeyPatch.context() as shut:

        def refuse(*_words: object, **_named: object) -> None:
            raise AssertionError("nothing may be fetched")

        shut.setattr(socket.socket, "connect", refuse)
        shut.setattr(socket, "getaddrinfo", refuse)
        return LetterReader.load(threads=2)
