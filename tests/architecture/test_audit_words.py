"""Every action that the code writes into the audit has its words, and no words are left without an action.

And every line about a part of a post that can be taken away names the post itself.
"""

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from approvals.tables import Verdict
from gatekeeper.people.register_import import Kind
from gatekeeper.posts.status import FindingState
from gatekeeper.workflow.audit_subjects import NAMING_THEIR_POST
from gatekeeper.workflow.audit_words import READS, WORDS

ROOT = Path(__file__).resolve().parents[2]
#: the names that stand in an action's f-string -> what they can be
MAY_BE: dict[str, type[StrEnum]] = {"verdict": Verdict, "state": FindingState, "kind": Kind}
FILES = sorted(path for room in ("gatekeeper", "workers") for path in (ROOT / room).rglob("*.py"))


def actions() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in FILES:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                for call in ast.walk(node):
                    if isinstance(call, ast.Call) and _name(call.func) == "record":
                        given = [keyword.value for keyword in call.keywords if keyword.arg == "action"]
                        found |= {action: path for value in given for action in _values(value, node, tree)}
    return found


def _values(value: ast.expr, function: ast.FunctionDef, tree: ast.Module) -> Iterator[str]:
    """What an expression can be: a text, one of two, a name that stands for one, a parameter that is handed one."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _values(value.body, function, tree)
        yield from _values(value.orelse, function, tree)
    elif isinstance(value, ast.JoinedStr):
        prefix, part = value.values
        assert isinstance(prefix, ast.Constant), ast.unparse(value)
        assert isinstance(part, ast.FormattedValue), ast.unparse(value)
        yield from (f"{prefix.value}{one}" for one in MAY_BE[ast.unparse(part.value)])
    else:
        assert isinstance(value, ast.Name), f"cannot tell what {ast.unparse(value)} may be"
        scopes = (function, tree, *_imported(value.id, tree))
        meant = [expression for scope in scopes for expression in _assigned(value.id, scope)]
        meant += list(_handed(value.id, function, tree))
        assert meant, f"cannot tell what {value.id} in {function.name} may be"
        for expression in meant:
            yield from _values(expression, function, tree)


def _assigned(name: str, scope: ast.FunctionDef | ast.Module) -> Iterator[ast.expr]:
    for node in scope.body if isinstance(scope, ast.Module) else ast.walk(scope):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            yield from (value for one, value in pairs if _name(one) == name)
        elif _name(target) == name:
            yield node.value


def _imported(name: str, tree: ast.Module) -> Iterator[ast.Module]:
    """The module of ours that the name comes from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            yield ast.parse((ROOT / f"{node.module.replace('.', '/')}.py").read_text())


def _handed(name: str, function: ast.FunctionDef, tree: ast.Module) -> Iterator[ast.expr]:
    """The texts that calls of this function hand in for one of its parameters."""
    names = [one.arg for one in function.args.args]
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) == function.name:
            yield from (keyword.value for keyword in call.keywords if keyword.arg == name)
            if name in names and len(call.args) > (place := names.index(name)):
                yield call.args[place]


def _name(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.fixture(scope="module")
def written() -> dict[str, Path]:
    return actions()


def test_every_action_has_its_words(written: dict[str, Path]) -> None:
    speechless = {action: path.name for action, path in written.items() if action not in WORDS}
    assert not speechless, "say in gatekeeper/workflow/audit_words.py what these are"


def test_no_words_are_left_without_an_action(written: dict[str, Path]) -> None:
    assert set(WORDS) <= set(written)


def test_the_search_really_finds_actions_of_every_shape(written: dict[str, Path]) -> None:
    """A constant, one of two, a name in the module, a name in the function, a parameter, and a joined text."""
    shapes = {"signin", "pin.locked", "channel.registered", "pupil.leaves", "passkey.added", "decision.refuse"}
    assert shapes <= set(written)
    assert set(WORDS) >= READS


def test_words_of_two_actions_are_never_the_same() -> None:
    assert len(set(WORDS.values())) == len(WORDS)


def details() -> list[tuple[str, str, list[ast.Dict]]]:
    """Where a line is written, about what, and the dictionaries that its detail is made of."""
    found = []
    for path in FILES:
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and _name(call.func) == "record":
                    given = {keyword.arg: keyword.value for keyword in call.keywords}
                    subject = ast.unparse(given["subject"]) if "subject" in given else ""
                    found.append((f"{path.name}:{call.lineno}", subject, _dictionaries(given.get("detail"), function)))
    return found


def _dictionaries(detail: ast.expr | None, function: ast.FunctionDef) -> list[ast.Dict]:
    """What is handed in, or every one that its name stands for or is widened by."""
    if not isinstance(detail, ast.Name):
        meant = [detail] if detail else []
    else:
        widened = [node.value for node in ast.walk(function) if isinstance(node, ast.AugAssign)]
        meant = [*_assigned(detail.id, function), *widened]
    return [part for one in meant for part in ast.walk(one) if isinstance(part, ast.Dict)]


def _keys(dictionary: ast.Dict) -> dict[str, str]:
    pairs = zip(dictionary.keys, dictionary.values, strict=True)
    return {str(key.value): ast.unparse(value) for key, value in pairs if isinstance(key, ast.Constant)}


def test_a_line_about_a_photo_a_face_or_a_finding_names_its_post() -> None:
    """The number of a photo that was removed is given to another post's photo: it must not stand for that one."""
    found = [one for one in details() if any(f"'{part}:" in one[1] for part in NAMING_THEIR_POST)]
    assert len(found) > 10
    assert [where for where, _, dictionaries in found if not any("post" in _keys(one) for one in dictionaries)] == []


def test_no_line_holds_what_a_person_typed_but_a_reason_without_names() -> None:
    """People who see no pupil read the audit: what is typed may name one."""
    written = [(where, *pair) for where, _, found in details() for one in found for pair in _keys(one).items()]
    typed = {"words", "note", "title", "text", "name", "statement", "told", "answer"}
    assert [(where, key) for where, key, _ in written if key in typed] == []
    reasons = [(where, value) for where, key, value in written if key == "reason"]
    assert {where.partition(":")[0] for where, _ in reasons} == {"evidence.py", "retention.py", "subject_access.py"}
    assert [where for where, value in reasons if not value.startswith("nameless(")] == []
