"""No face is ever cleared by the machine: every path in the code that can change what a box says is walked here.

The first half reads the code: one function writes an answer, few call it, and all of those stand behind a page that a
signed-in person used for one box. The second half runs the check with a suggestion that could not be better.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from gatekeeper.people.school import change_setting
from gatekeeper.people.staff import Audit
from gatekeeper.posts.media import Pixels
from gatekeeper.posts.model import Face, FaceAnswer, FaceSuggestion, Photo
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import resolve, suggest
from gatekeeper.workflow import scan as step
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.looking import MagentaFinder, picture, submitted
from tests.factories.school import School, make_services

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = ("gatekeeper", "workers", "approvals")
#: the drill invents a school in a folder of its own and lets nobody else into it
DRILL: Final = ("gatekeeper.ops.drill.", "workers.drill.")
Place = tuple[str, str]

#: the one function that gives a face its answer
WRITER: Final = ("gatekeeper.workflow.face_answer", "write_answer")
#: everything else in the code that has a state and is no face
OTHER_STATES: Final = frozenset(
    {
        ("gatekeeper.posts.repository", "move"),  # a post
        ("gatekeeper.posts.repository", "move_publication"),
        ("gatekeeper.workflow.resolve", "_answer_words"),  # a finding
        ("gatekeeper.workflow.wise", "_join"),  # back to open: a name that came to stand beside a face
        ("gatekeeper.workflow.enrol", "_end"),  # a photo for enrolment
        ("gatekeeper.workflow.enrol", "_write_template"),
        ("gatekeeper.workflow.recognition", "_clean"),
        ("gatekeeper.workflow.restoration", "begin"),  # a publication, after a restore
        ("gatekeeper.workflow.case_reply", "edit"),  # a reply to an enquiry
        ("gatekeeper.workflow.case_reply", "expired"),
        ("gatekeeper.workflow.case_reply", "mark_sent"),
        ("gatekeeper.workflow.case_reply", "open_question"),
        ("gatekeeper.workflow.case_reply", "void_all"),
        ("gatekeeper.workflow.case_reply", "withdraw"),
        ("gatekeeper.workflow.case_reply_decide", "decide"),
        ("gatekeeper.workflow.case_work", "finish"),  # a case
        ("gatekeeper.workflow.case_work", "reopen"),
        ("gatekeeper.workflow.case_work", "wait"),
        ("gatekeeper.workflow.consent_review", "_list_live"),  # one post of a review
        ("gatekeeper.workflow.consent_review", "_list_post"),
        ("gatekeeper.workflow.consent_review", "_order_down"),
        ("gatekeeper.workflow.consent_review", "given_again"),
        ("gatekeeper.workflow.review_progress", "removal_ended"),
        ("gatekeeper.workflow.review_work", "keep"),
        ("gatekeeper.workflow.takedown", "_follow"),  # a removal
        ("gatekeeper.workflow.takedown", "never_public"),
        ("gatekeeper.workflow.takedown", "try_now"),
        ("gatekeeper.workflow.takedown_reopen", "reopen_where_seen"),
        ("gatekeeper.workflow.takedown_removal", "_confirm"),
        ("gatekeeper.workflow.takedown_removal", "_hand_over"),
        ("gatekeeper.simulator.server", "__init__"),
    }
)
#: who writes to a field whose name is computed: none of them has a face in hand
BY_NAME: Final = frozenset(
    {
        ("gatekeeper.people.register_import", "line"),  # a pupil's line of the file
        ("gatekeeper.people.register_import", "write"),
        ("gatekeeper.simulator.control", "set_token"),
        ("gatekeeper.web.access", "_state"),
        ("gatekeeper.web.access", "mark"),
        ("gatekeeper.workflow.pupils", "edit_pupil"),
        ("gatekeeper.workflow.submit", "_apply"),  # a post's words and photos
    }
)
#: who may have an answer written down: what a person pressed on a page, one box at a time; covering only shows less
MAY_ANSWER: Final = frozenset(
    {
        ("gatekeeper.workflow.resolve", "clear_face"),
        ("gatekeeper.workflow.resolve", "not_a_face"),
        ("gatekeeper.workflow.resolve", "cover_face"),
        ("gatekeeper.workflow.resolve", "cover_all_uncleared"),
        ("gatekeeper.workflow.resolve", "undo_face"),
        ("gatekeeper.workflow.second_look", "answer"),
    }
)


@cache
def functions() -> tuple[tuple[Place, ast.AST], ...]:
    return tuple(_functions())


def _functions() -> Iterator[tuple[Place, ast.AST]]:
    """Every function of the product but its drill, and the rest of each module under the name of the module."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if f"{module}.".startswith(DRILL):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield (module, node.name), node
            yield (
                (module, "<module>"),
                ast.Module([one for one in tree.body if not isinstance(one, (ast.FunctionDef, ast.ClassDef))], []),
            )


def targets(node: ast.AST) -> Iterator[ast.AST]:
    """What an assignment writes to, the parts of a tuple one by one."""
    if isinstance(node, ast.Assign):
        stack: list[ast.AST] = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.NamedExpr)):
        stack = [node.target]
    else:
        return
    while stack:
        target = stack.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            stack += target.elts
        else:
            yield target


def named(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_call_of(node: ast.Call, place: Place, module: str) -> bool:
    """Whether this calls that function: by the name of its module, or bare where the name is no common word."""
    called, (home, name) = ast.unparse(node.func), place
    bare = called == name and ("_" in name or module == home)
    return bare or called.endswith(f"{home.rsplit('.', 1)[-1]}.{name}")


def writes_a_state(function: ast.AST) -> bool:
    return any(
        isinstance(target, ast.Attribute) and target.attr == "state"
        for node in ast.walk(function)
        for target in targets(node)
    )


def writes_by_name(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and named(node) == "setattr" for node in ast.walk(function))


def test_one_function_alone_gives_a_face_its_answer() -> None:
    writers = {place for place, function in functions() if writes_a_state(function)}
    assert WRITER in writers
    unknown = writers - OTHER_STATES - {WRITER}
    assert not unknown, f"these write a state: if it is a face's, a person must have said so: {sorted(unknown)}"


def test_nobody_gives_a_face_its_answer_by_a_name_that_is_computed() -> None:
    unknown = {place for place, function in functions() if writes_by_name(function)} - BY_NAME
    assert not unknown, f"these write fields by name; see that none of them is a face's: {sorted(unknown)}"


def test_the_answer_is_written_only_where_a_person_gave_it() -> None:
    callers = {
        place
        for place, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and named(node) == WRITER[1]
    }
    assert callers == MAY_ANSWER


def test_those_who_have_answers_written_are_asked_by_pages_alone() -> None:
    callers = {
        place[0]
        for place, function in functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and any(is_call_of(node, one, place[0]) for one in MAY_ANSWER)
    }
    inside = {module for module, _ in MAY_ANSWER}
    outside = {module for module in callers - inside if not module.startswith("gatekeeper.web.views.")}
    assert not outside, f"no person stands behind these: {sorted(outside)}"


def test_every_new_box_is_of_an_unknown_face() -> None:
    made = 0
    for place, function in functions():
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or named(node) != "Face":
                continue
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if "source" not in given:
                continue  # a detector's plain value, which has no state
            made += 1
            assert given.get("state", "FaceState.UNKNOWN") == "FaceState.UNKNOWN", place
            assert "pupil_id" not in given, place
    assert made


def test_no_statement_changes_faces_in_bulk() -> None:
    for place, function in functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and named(node) in {"update", "insert"} and node.args:
                assert ast.unparse(node.args[0]) not in {"Face", "Face.__table__"}, place
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "update face " not in node.value.casefold(), place


class PerfectEncoder:
    """Stands for recognition that is switched on; the suggestion itself is made below."""

    def encode(self, pixels: Pixels, boxes: object) -> list[None]:
        raise AssertionError("the suggestion of this test asks nobody")


@pytest.fixture
def school(sqlite_database: object, tmp_path: object, clock: ToldClock) -> School:
    return School(
        make_services(sqlite_database, tmp_path, clock, faces=MagentaFinder(), encoder=PerfectEncoder())  # type: ignore[arg-type]
    )


def perfect(services: Services, photo_id: int, pixels: Pixels) -> None:
    """Say with certainty that every face is Wren, who may be shown everywhere."""
    assert pixels.size
    with services.step() as session:
        (wren,) = {row.pupil_id for row in session.scalars(select(FaceSuggestion))} or {1}
        for face in session.get_one(Photo, photo_id).faces:
            session.merge(FaceSuggestion(face_id=face.id, rank=1, pupil_id=wren, distance=0.0))


def test_a_perfect_suggestion_clears_nothing(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    services = school.services
    with services.step() as session:
        recognition = {"dpia_reference": "DPIA-7", "dpo": "Mx Quill", "date": "2026-09-01", "recorded_by": school.head}
        change_setting(session, "recognition", recognition, by=school.head, now=services.clock.now())
    monkeypatch.setattr(suggest, "suggest", perfect)
    post = submitted(school, picture(40, 150, 260), send=True)
    step.scan(services, post)
    with services.db.read() as session:
        faces = session.scalars(select(Face).order_by(Face.id)).all()
        assert len(session.scalars(select(FaceSuggestion)).all()) == 3
        assert [face.state for face in faces] == [FaceState.UNKNOWN] * 3
        assert [face.pupil_id for face in faces] == [None] * 3
        assert session.scalars(select(FaceAnswer)).all() == []
    assert school.state(post) == PostState.OPEN, "nothing goes to the headteacher by itself"
    first, *others = [face.id for face in faces]
    resolve.clear_face(services, first, by=school.author, state=FaceState.PUPIL, pupil_id=school.pupils["Wren"])
    with services.db.read() as session:
        assert session.get_one(Face, first).state == FaceState.PUPIL
        assert {session.get_one(Face, one).state for one in others} == {FaceState.UNKNOWN}
        answered = session.scalars(select(Audit).where(Audit.action == "face.answered")).all()
        assert [(row.staff_id, row.subject) for row in answered] == [(school.author, f"face:{first}")]
