"""What a process is told, and which secrets it may hold."""

from pathlib import Path

import pytest

from gatekeeper.errors import SettingsError
from gatekeeper.settings import ALL_SECRETS, SECRETS, load_settings


def _env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"GATEKEEPER_DATA": str(tmp_path), **more}


def test_without_any_setting_everything_is_local(tmp_path: Path) -> None:
    settings = load_settings("web", _env(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path}/gatekeeper.db"
    assert settings.redis_url.startswith("unix://")
    assert settings.host == "127.0.0.1"
    assert not settings.secure


@pytest.mark.parametrize("process", ["web", "scan", "mail", "platform", "publisher", "release"])
def test_each_process_gets_only_its_own_secrets(tmp_path: Path, process: str) -> None:
    everything = {f"GATEKEEPER_{name}": f"value-of-{name}" for name in ALL_SECRETS}
    settings = load_settings(process, _env(tmp_path, **everything))
    assert set(settings.secrets) == set(SECRETS.get(process, ()))
    for name in set(ALL_SECRETS) - set(SECRETS.get(process, ())):
        with pytest.raises(SettingsError, match=f"may not hold {name}"):
            settings.secret(name)


def test_web_and_scan_hold_neither_tokens_nor_the_mail_password() -> None:
    for process in ("web", "scan"):
        assert not {"SEAL_KEY", "SMTP_URL"} & set(SECRETS.get(process, ()))


def test_the_scanning_process_alone_holds_the_key_of_the_face_templates() -> None:
    assert [process for process, held in SECRETS.items() if "TEMPLATE_KEY" in held] == ["scan"]


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_SEAL_KEY is missing"):
        load_settings("publisher", _env(tmp_path)).secret("SEAL_KEY")


def test_a_secret_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    key = tmp_path / "seal"
    key.write_text("secret")
    key.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_settings("publisher", _env(tmp_path, GATEKEEPER_SEAL_KEY_FILE=str(key)))


def test_secrets_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    settings = load_settings("publisher", _env(tmp_path, GATEKEEPER_SEAL_KEY="do-not-print"))
    assert "do-not-print" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "http://localhost:8000"), ("127.0.0.1", "http://posts.school.example")]
)
def test_an_address_others_can_reach_needs_https(tmp_path: Path, host: str, url: str) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_TRUSTED_PROXIES=1"):
        load_settings("web", _env(tmp_path, GATEKEEPER_HOST=host, GATEKEEPER_URL=url))


def test_https_behind_a_proxy_is_fine(tmp_path: Path) -> None:
    settings = load_settings(
        "web", _env(tmp_path, GATEKEEPER_URL="https://posts.school.example", GATEKEEPER_TRUSTED_PROXIES="1")
    )
    assert settings.secure
    assert settings.trusted_proxies == 1


@pytest.mark.parametrize("url", ["http://10.0.0.5:9000", "https://api.twitter.com", "http://simulator.example"])
def test_the_simulator_must_be_on_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="loopback"):
        load_settings("publisher", _env(tmp_path, GATEKEEPER_PLATFORM_URL=url))


def test_a_port_that_is_no_number_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_PORT must be a whole number"):
        load_settings("web", _env(tmp_path, GATEKEEPER_PORT="eighty"))


@pytest.mark.parametrize(
    "wrong", ["bounces", "Gatekeeper <a@b.example>", "a@b.example\nRCPT TO:<x@y>", "a b@c.example", "a@b>"]
)
def test_the_address_for_undelivered_mail_is_a_bare_one(wrong: str) -> None:
    with pytest.raises(SettingsError, match="GATEKEEPER_BOUNCE_TO"):
        load_settings("mail", {"GATEKEEPER_BOUNCE_TO": wrong})
    assert load_settings("mail", {"GATEKEEPER_BOUNCE_TO": "bounces@b.example"}).bounce_to == "bounces@b.example"
    assert load_settings("mail", {}).bounce_to == ""
