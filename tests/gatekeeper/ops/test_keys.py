import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gatekeeper.channels.seal import seal, unseal
from gatekeeper.errors import SettingsError
from gatekeeper.faces.template_seal import Place, TemplateKeys
from gatekeeper.ops.keys import bare_environment, ensure_keys, environment_for, rotate_templates, strip_of_others
from gatekeeper.settings import ALL_SECRETS, SECRETS, Settings, load_settings


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"GATEKEEPER_DATA": str(tmp_path), "GATEKEEPER_SMTP_URL": "smtp://office:letters@mail.example"}


@pytest.fixture
def settings(env: dict[str, str]) -> Settings:
    made = load_settings("web", env)
    ensure_keys(made, env)
    return made


def test_keys_are_made_once_and_nobody_else_can_read_them(settings: Settings, env: dict[str, str]) -> None:
    before = {path.name: path.read_text() for path in settings.keys.iterdir()}
    assert set(before) == {"web_key", "ledger_key", "ledger.pub", "seal_key", "seal.pub", "template_key"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in settings.keys.iterdir())
    ensure_keys(settings, env)
    assert {path.name: path.read_text() for path in settings.keys.iterdir()} == before


def test_the_two_halves_of_the_seal_fit(settings: Settings) -> None:
    private, public = ((settings.keys / name).read_text().strip() for name in ("seal_key", "seal.pub"))
    assert unseal(private, seal(public, b"token", context="here"), context="here") == b"token"


def test_a_new_key_of_the_templates_stands_in_front_and_the_old_one_still_opens(settings: Settings) -> None:
    path = settings.keys / "template_key"
    old = TemplateKeys(path.read_text())
    place = Place(row=1, pupil=2)
    sealed = old.seal(np.ones(128), place)
    rotate_templates(settings)
    both = TemplateKeys(path.read_text())
    assert both.current != old.current
    assert both.open(sealed, place, key_id=old.current)[0] == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_cannot_replace_a_key_that_is_kept_elsewhere(settings: Settings) -> None:
    (settings.keys / "template_key").unlink()
    with pytest.raises(SettingsError, match="GATEKEEPER_TEMPLATE_KEY"):
        rotate_templates(settings)


@pytest.mark.parametrize(
    ("given", "missing"), [("GATEKEEPER_SEAL_KEY", "SEAL_PUBLIC"), ("GATEKEEPER_SEAL_PUBLIC", "SEAL_KEY")]
)
def test_cannot_start_with_one_half_of_the_seal(env: dict[str, str], given: str, missing: str) -> None:
    """Making a new pair beside it would leave stored tokens that nobody can open."""
    env[given] = "half"
    with pytest.raises(SettingsError, match=missing):
        ensure_keys(load_settings("web", env), env)


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("process", ["web", "scan", "mail", "platform", "publisher"])
def test_each_process_is_told_its_own_secrets_and_no_others(env: dict[str, str], process: str) -> None:
    told = environment_for(process, env)
    held = {name for name in ALL_SECRETS if f"GATEKEEPER_{name}" in told}
    assert held == set(SECRETS.get(process, ()))
    if "SMTP_URL" not in held:
        assert "letters" not in repr(told)


@pytest.mark.usefixtures("settings")
def test_a_secret_named_by_its_file_is_not_passed_on_to_others(env: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "smtp"
    path.write_text("smtp://office:letters@mail.example")
    path.chmod(0o600)
    del env["GATEKEEPER_SMTP_URL"]
    env["GATEKEEPER_SMTP_URL_FILE"] = str(path)
    assert "GATEKEEPER_SMTP_URL_FILE" not in environment_for("web", env)
    assert environment_for("mail", env)["GATEKEEPER_SMTP_URL"].startswith("smtp://office")


@pytest.mark.usefixtures("settings")
def test_cannot_start_the_mail_process_without_a_mail_server(env: dict[str, str]) -> None:
    del env["GATEKEEPER_SMTP_URL"]
    with pytest.raises(SettingsError, match="GATEKEEPER_SMTP_URL is missing"):
        environment_for("mail", env)


def test_helpers_are_told_neither_secrets_nor_where_the_database_is(env: dict[str, str]) -> None:
    env |= {"DATABASE_URL": "postgresql://school:word@db/school", "PATH": "/bin"}
    assert bare_environment(env) == {"GATEKEEPER_DATA": env["GATEKEEPER_DATA"], "PATH": "/bin"}


@pytest.mark.parametrize("process", ["web", "scan", "mail", "platform", "publisher"])
def test_a_process_started_with_everybodys_secrets_keeps_its_own(process: str) -> None:
    told = {f"GATEKEEPER_{name}{ending}": "x" for name in ALL_SECRETS for ending in ("", "_FILE")} | {"PATH": "/bin"}
    strip_of_others(process, told)
    kept = {name.removeprefix("GATEKEEPER_").removesuffix("_FILE") for name in told} - {"PATH"}
    assert kept == set(SECRETS.get(process, ()))
    assert told["PATH"] == "/bin"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows another process's environment")
def test_a_worker_of_the_procfile_shows_no_other_processes_secret(tmp_path: Path) -> None:
    everything = {f"GATEKEEPER_{name}": f"hush:{name}" for name in ALL_SECRETS}
    env = {**os.environ, **everything, "GATEKEEPER_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "gatekeeper", "worker", "scan"]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as worker:
        try:
            shown = Path(f"/proc/{worker.pid}/environ")
            deadline = time.monotonic() + 20
            # while it becomes another program, for a moment its environment reads as empty
            while (not (told := shown.read_text()) or "hush:SEAL_KEY" in told) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert re.findall(r"hush:(\w+)", shown.read_text()) == ["TEMPLATE_KEY"]
        finally:
            worker.kill()
