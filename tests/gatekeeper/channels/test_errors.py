import pytest

from gatekeeper.channels import errors
from gatekeeper.channels.errors import Applied, ChannelBusy, ChannelError, ChannelRefused, ChannelUnclear
from gatekeeper.errors import GatekeeperError

CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ChannelError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_follows_and_whether_it_may_have_happened(kind: type[ChannelError]) -> None:
    assert issubclass(kind, GatekeeperError)
    if kind is not ChannelError:
        parents = [parent for parent in (ChannelBusy, ChannelRefused, ChannelUnclear) if issubclass(kind, parent)]
        assert len(parents) == 1
    expected = Applied.NOT_APPLIED if issubclass(kind, ChannelBusy | ChannelRefused) else Applied.UNKNOWN
    assert kind.applied is expected
    assert kind.__name__ in str(errors.__doc__)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_a_sentence_for_a_person_without_what_the_platform_said(kind: type[ChannelError]) -> None:
    err = kind(platform="X", operation="create_post", http_status=403, detail="pupil's text", request_id="r1")
    assert "X" in str(err)
    assert str(err).endswith(".")
    assert "{" not in str(err)
    assert "pupil's text" not in str(err)
    assert (err.detail, err.http_status, err.request_id) == ("pupil's text", 403, "r1")
