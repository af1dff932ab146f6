"""Guards the repository itself: what it names, what it carries, and that every part can stand alone."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from jinja2 import Environment, FileSystemLoader

from gatekeeper import jobs

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("approvals", "gatekeeper", "workers")
TOP_LEVEL = {
    "gatekeeper", "approvals", "workers", "templates", "tests", "pyproject.toml", "Procfile", "README.md", "LICENSE",
    "CHANGELOG.md", "Makefile", "requirements.txt", "requirements-dev.txt", "requirements-uv.txt",
}  # fmt: skip


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in os.fsdecode(listed).split("\0") if name]


def modules() -> list[str]:
    found = []
    for package in PACKAGES:
        found.append(package)
        found += [m.name for m in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")]
    return [name for name in found if not name.endswith("__main__") and ".migrations" not in name]


def test_the_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_nothing_committed_names_a_package_index() -> None:
    index = re.compile(r"(?i)--(?:extra-)?index-url|--find-links|pypi\.org/simple|files\.pythonhosted|registry\.npmjs")
    here = Path(__file__).resolve()
    for path in tracked():
        if path.suffix in {".jpg", ".png", ".webp", ".woff2"} or path == here or not path.exists():
            continue
        assert not index.search(path.read_text(errors="ignore")), path


def test_every_locked_requirement_is_exact_and_hashed() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        text = (ROOT / name).read_text()
        blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n?", "", text).strip())
        assert blocks, name
        for block in blocks:
            assert re.match(r"[A-Za-z0-9._\-\[\]]+==\S+", block), (name, block[:60])
            assert "--hash=sha256:" in block, (name, block[:60])


def test_dlib_is_never_compiled() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert not re.search(r"(?m)^dlib==", (ROOT / name).read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_promises_and_runs_nothing(package: str) -> None:
    for init in (ROOT / package).rglob("__init__.py"):
        text = init.read_text().strip()
        assert text.startswith('"""'), init
        assert text.endswith('"""'), f"{init} holds more than its docstring"


def test_every_module_imports_alone() -> None:
    """One fresh interpreter per room's entry is not enough: an import that only works after another is a trap."""
    program = (
        "import importlib, sys, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *reversed(modules())], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_job_resolves_and_has_a_process() -> None:
    procfile = (ROOT / "Procfile").read_text()
    for job in jobs.JOBS.values():
        module, function = job.function.rsplit(".", 1)
        assert callable(getattr(importlib.import_module(module), function)), job.name
        assert job.queue in jobs.QUEUES
        assert re.search(rf"(?m)^{job.queue}: .*worker {job.queue}", procfile), job.queue


def test_the_procfile_names_the_agreed_processes() -> None:
    names = [line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines() if ":" in line]
    assert names == ["release", "web", "scan", "mail", "platform", "publisher"]


def test_there_is_one_migration_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "gatekeeper/db/migrations"))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_every_template_compiles() -> None:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    environment.filters.update(dict.fromkeys(_filters_used(), lambda value, *a, **k: value))
    templates = [name for name in environment.list_templates() if not name.endswith((".css", ".js"))]
    assert templates
    for name in templates:
        environment.compile((ROOT / "templates" / name).read_text(), name, name)


def _filters_used() -> set[str]:
    text = "".join(
        path.read_text()
        for path in (ROOT / "templates").rglob("*")
        if path.is_file() and path.suffix in {".html", ".txt"}
    )
    return set(re.findall(r"\|\s*([a-z_]+)", text))


def test_no_template_runs_a_script_or_style_of_its_own() -> None:
    """The content security policy would refuse it; the pages must not rely on it."""
    for path in (ROOT / "templates" / "web").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\son[a-z]+\s*=", text), path
        assert not re.search(r"<style|\sstyle\s*=", text), path


def test_only_the_command_line_prints() -> None:
    allowed = {"cli.py", "publish.py", "process.py"}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if (
                path.name in allowed
                or "ops" in path.parts
                or path.name in {"commands.py", "text_command.py", "__main__.py"}
            ):
                continue
            assert not re.search(r"(?m)^\s*print\(", path.read_text()), path


def test_nothing_but_the_settings_reads_the_environment() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path.name == "settings.py" or "ops" in path.parts:
                continue
            assert "os.getenv" not in path.read_text(), path


def test_nothing_outside_it_imports_the_simulator() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "simulator" not in path.parts:
                assert not re.search(r"(?m)^\s*(from|import) gatekeeper\.simulator", path.read_text()), path
