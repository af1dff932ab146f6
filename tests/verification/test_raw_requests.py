"""The requests that tweepy and facebook-sdk were seen to send, byte for byte, against the simulated platforms.

They are built here without either library, so that the simulator is not merely what our own adapters expect.
"""

import hashlib
import hmac
import http.client
import io
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from oauthlib.oauth1 import Client
from PIL import Image

from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator

CONFIG = SimulatorConfig()
PROOF = hmac.new(CONFIG.facebook_app_secret.encode(), CONFIG.facebook_token.encode(), hashlib.sha256).hexdigest()
FORM = "application/x-www-form-urlencoded"
X_HOST, GRAPH_HOST = "api.twitter.com", "graph.facebook.com"


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "navy").save(file, "PNG")
    return file.getvalue()


def ask(
    simulator: Simulator,
    method: str,
    target: str,
    *,
    host: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", int(simulator.base_url.rsplit(":", 1)[1]), timeout=5)
    try:
        connection.request(method, target, body=body, headers={"Host": host, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, json.loads(text) if "json" in told.get("content-type", "") else text
    finally:
        connection.close()


def signed(method: str, url: str, *, timestamp: str | None = None, nonce: str | None = None) -> dict[str, str]:
    client = Client(
        CONFIG.x_consumer_key,
        client_secret=CONFIG.x_consumer_secret,
        resource_owner_key=CONFIG.x_access_token,
        resource_owner_secret=CONFIG.x_access_token_secret,
        timestamp=timestamp,
        nonce=nonce,
    )
    _, headers, _ = client.sign(url, http_method=method)
    return {"Authorization": headers["Authorization"]}


def ask_x(simulator: Simulator, method: str, target: str, data: object = None) -> tuple[int, dict[str, str], Any]:
    headers = signed(method, f"https://{X_HOST}{target}")
    body = None
    if data is not None:
        headers["Content-Type"], body = "application/json", json.dumps(data)
    return ask(simulator, method, target, host=X_HOST, headers=headers, body=body)


def multipart(fields: Mapping[str, str], file: tuple[str, str, bytes, str | None]) -> tuple[dict[str, str], bytes]:
    name, filename, data, mime = file
    lines = [
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    kind = f"Content-Type: {mime}\r\n" if mime else ""
    lines.append(f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n{kind}\r\n'.encode())
    return {"Content-Type": "multipart/form-data; boundary=b"}, b"".join([*lines, data, b"\r\n--b--\r\n"])


def test_x_media_as_base64_in_json(simulator: Simulator) -> None:
    import base64

    data = {"media": base64.b64encode(png()).decode(), "media_category": "tweet_image"}
    status, headers, body = ask_x(simulator, "POST", "/2/media/upload", data)
    assert status == 200
    assert set(body["data"]) >= {"id", "media_key", "size", "expires_after_secs", "image"}
    assert body["data"]["media_key"] == f"3_{body['data']['id']}"
    assert headers["x-rate-limit-limit"] == "500"
    assert simulator.state.pictures[body["data"]["id"]].sha256 == hashlib.sha256(png()).hexdigest()


def test_x_media_as_multipart_then_alt_text_then_post(simulator: Simulator) -> None:
    kind, body = multipart({"media_category": "tweet_image"}, ("media", "a.jpg", png(), "image/jpeg"))
    auth = signed("POST", f"https://{X_HOST}/2/media/upload")
    status, _, uploaded = ask(simulator, "POST", "/2/media/upload", host=X_HOST, headers={**auth, **kind}, body=body)
    assert status == 200
    media_id = uploaded["data"]["id"]
    alt = {"id": media_id, "metadata": {"alt_text": {"text": "Children planting a tree"}}}
    status, _, told = ask_x(simulator, "POST", "/2/media/metadata", alt)
    assert (status, told["data"]["associated_metadata"]) == (200, alt["metadata"])
    wanted = {"media": {"media_ids": [media_id]}, "text": "Sports day \u2013 14 June \u2600\ufe0f"}
    status, _, posted = ask_x(simulator, "POST", "/2/tweets", wanted)
    assert status == 201
    assert posted["data"]["edit_history_tweet_ids"] == [posted["data"]["id"]]

    fields = (
        "max_results=100&since_id=1&tweet.fields=created_at%2Centities%2Cattachments"
        "&expansions=attachments.media_keys&media.fields=alt_text%2Curl"
    )
    status, _, listed = ask_x(simulator, "GET", f"/2/users/42/tweets?{fields}")
    assert status == 200
    assert listed["includes"]["media"][0]["alt_text"] == "Children planting a tree"
    assert listed["meta"] == {
        "result_count": 1,
        "newest_id": posted["data"]["id"],
        "oldest_id": posted["data"]["id"],
    }
    status, _, gone = ask_x(simulator, "DELETE", f"/2/tweets/{posted['data']['id']}")
    assert (status, gone) == (200, {"data": {"deleted": True}})
    assert ask_x(simulator, "GET", "/2/users/42/tweets")[2] == {"meta": {"result_count": 0}}


def test_x_refuses_a_signature_for_the_loopback_address(simulator: Simulator) -> None:
    headers = signed("GET", f"{simulator.base_url}/2/users/me")
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=headers)[0] == 401


def test_x_refuses_a_signature_for_another_method_path_or_query(simulator: Simulator) -> None:
    for method, url in [
        ("POST", f"https://{X_HOST}/2/users/me"),
        ("GET", f"https://{X_HOST}/2/users/42/tweets"),
        ("GET", f"https://{X_HOST}/2/users/me?user.fields=name"),
    ]:
        assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=signed(method, url))[0] == 401


@pytest.mark.parametrize("off", [-600, 600])
def test_x_refuses_a_signature_of_another_time(simulator: Simulator, off: int) -> None:
    headers = signed("GET", f"https://{X_HOST}/2/users/me", timestamp=str(int(time.time()) + off))
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=headers)[0] == 401


def test_x_refuses_a_request_that_is_replayed(simulator: Simulator) -> None:
    headers = signed("GET", f"https://{X_HOST}/2/users/me", nonce=uuid.uuid4().hex)
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=headers)[0] == 200
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=headers)[0] == 401


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer None"}, {"Authorization": "OAuth rubbish"}])
def test_x_refuses_requests_without_a_signature(simulator: Simulator, header: dict[str, str]) -> None:
    status, _, body = ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=header)
    assert (status, body) == (
        401,
        {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"},
    )


def test_x_refresh_tokens_rotate_and_the_old_one_dies(simulator: Simulator) -> None:
    def refresh(token: str) -> tuple[int, dict[str, str], Any]:
        body = urlencode({"grant_type": "refresh_token", "refresh_token": token})
        return ask(simulator, "POST", "/2/oauth2/token", host=X_HOST, headers={"Content-Type": FORM}, body=body)

    status, _, first = refresh(CONFIG.x_refresh_token)
    assert (status, first["expires_in"]) == (200, 7200)
    assert refresh(CONFIG.x_refresh_token)[0] == 400
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=bearer)[0] == 200
    assert refresh(first["refresh_token"])[0] == 200
    assert ask(simulator, "GET", "/2/users/me", host=X_HOST, headers=bearer)[0] == 401


def photo(
    simulator: Simulator, *, published: str | None = "false", proof: str = PROOF
) -> tuple[int, dict[str, str], Any]:
    fields = {"alt_text_custom": "A field", "appsecret_proof": proof, "access_token": CONFIG.facebook_token}
    if published is not None:
        fields = {"published": published, **fields}
    headers, body = multipart(fields, ("source", "a.png", png(), None))
    return ask(simulator, "POST", "/v26.0/111/photos", host=GRAPH_HOST, headers=headers, body=body)


def feed(simulator: Simulator, **fields: str) -> tuple[int, dict[str, str], Any]:
    sent = urlencode({"appsecret_proof": PROOF, **fields, "access_token": CONFIG.facebook_token})
    return ask(simulator, "POST", "/v26.0/111/feed", host=GRAPH_HOST, headers={"Content-Type": FORM}, body=sent)


def test_facebook_photo_then_feed_then_removal_with_the_token_in_the_url(simulator: Simulator) -> None:
    status, headers, uploaded = photo(simulator)
    assert (status, set(uploaded)) == (200, {"id"})
    assert "x-business-use-case-usage" in headers
    assert simulator.posts("facebook") == []
    text = "Sports day \u2013 14 June \u2600\ufe0f"
    status, _, posted = feed(
        simulator, message=text, **{"attached_media[0]": json.dumps({"media_fbid": uploaded["id"]})}
    )
    assert status == 200
    [post] = simulator.posts("facebook")
    assert (posted["id"], post.text, post.picture_ids) == (post.id, text, [uploaded["id"]])
    query = urlencode({"access_token": CONFIG.facebook_token, "appsecret_proof": PROOF})
    assert ask(simulator, "DELETE", f"/v26.0/{post.id}?{query}", host=GRAPH_HOST)[2] == {"success": True}
    status, _, again = ask(simulator, "DELETE", f"/v26.0/{post.id}?{query}", host=GRAPH_HOST)
    assert (status, again["error"]["code"], again["error"]["error_subcode"]) == (400, 100, 33)


@pytest.mark.parametrize("published", ["False", "0", "no", "FALSE", "", "true", None])
def test_a_facebook_photo_goes_live_at_once_unless_published_is_exactly_false(
    simulator: Simulator, published: str | None
) -> None:
    _, _, body = photo(simulator, published=published)
    [post] = simulator.posts("facebook")
    assert body["post_id"] == post.id
    assert post.picture_ids == [body["id"]]


@pytest.mark.parametrize("proof", ["", "0" * 64, PROOF[:-1]])
def test_facebook_refuses_a_wrong_proof(simulator: Simulator, proof: str) -> None:
    status, _, body = photo(simulator, proof=proof)
    assert (status, body["error"]["code"]) == (400, 100)
    assert "appsecret_proof" in body["error"]["message"]
    assert simulator.state.pictures == {}


@pytest.mark.parametrize("path", ["/v2.8/me", "/v20.0/me", "/me", "/v27.0/me"])
def test_facebook_refuses_dead_and_unknown_versions(simulator: Simulator, path: str) -> None:
    query = urlencode({"access_token": CONFIG.facebook_token, "appsecret_proof": PROOF})
    assert ask(simulator, "GET", f"{path}?{query}", host=GRAPH_HOST)[2]["error"]["code"] == 2635


def test_facebook_takes_the_token_from_the_header_too(simulator: Simulator) -> None:
    headers = {"Authorization": f"Bearer {CONFIG.facebook_token}"}
    answer = ask(simulator, "GET", f"/v26.0/me?appsecret_proof={PROOF}", host=GRAPH_HOST, headers=headers)
    assert answer[2] == {"id": "111", "name": "Simulated School"}


def test_facebook_refuses_only_consecutive_duplicates(simulator: Simulator) -> None:
    assert feed(simulator, message="Snow day")[0] == 200
    assert feed(simulator, message="Snow day")[2]["error"]["code"] == 506
    assert feed(simulator, message="All is well")[0] == 200
    assert feed(simulator, message="Snow day")[0] == 200


def test_facebook_posts_a_photo_only_once(simulator: Simulator) -> None:
    attached = {"attached_media[0]": json.dumps({"media_fbid": photo(simulator)[2]["id"]})}
    assert feed(simulator, message="One", **attached)[0] == 200
    assert feed(simulator, message="Two", **attached)[2]["error"]["error_subcode"] == 1366051


def test_facebook_keeps_a_scheduled_post_off_the_page(simulator: Simulator) -> None:
    due = str(int(time.time()) + 3600)
    assert feed(simulator, message="Tomorrow", published="false", scheduled_publish_time=due)[0] == 200
    assert simulator.posts("facebook") == []
    query = urlencode({"access_token": CONFIG.facebook_token, "appsecret_proof": PROOF, "fields": "id,message"})
    listed = {
        edge: ask(simulator, "GET", f"/v26.0/111/{edge}?{query}", host=GRAPH_HOST)[2]["data"]
        for edge in ("scheduled_posts", "published_posts")
    }
    assert [post["message"] for post in listed["scheduled_posts"]] == ["Tomorrow"]
    assert listed["published_posts"] == []
