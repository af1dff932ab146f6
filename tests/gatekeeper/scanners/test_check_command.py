"""`gatekeeper check`: what it prints, what it refuses, and that findings never change its ending."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekeeper.scanners.text_command import check_command

ROSTER = (
    "pupil_id,first_name,last_name,known_as,year,class,dob\n"
    "p1,Imelda,Brackwater,,Year 2,Plover,2020-03-11\n"
    "p2,Imelda,Brackwater,,Year 2,Plover,2020-03-11\n"
    "p3,J,K,,Year 1,Wagtail,\n"
)
STAFF = "staff_id,title,first_name,last_name,role\ns1,Mrs,Prudence,Hartnoll,Headteacher\n"
SCHOOL = '{"name": "Elm Tree Primary School", "phones": ["01632 960000"], "classes": {"Plover": "Year 2"}}'

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command over the given files; gives its ending and its output."""

    def go(
        posts: str | bytes, *, roster: str = ROSTER, staff: str = STAFF, school: str = SCHOOL, as_json: bool = True
    ) -> tuple[int, str]:
        files = {"posts.jsonl": posts, "roster.csv": roster, "staff.csv": staff, "school.json": school}
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        out = io.StringIO()
        ending = check_command(
            tmp_path / "posts.jsonl",
            roster=tmp_path / "roster.csv",
            staff=tmp_path / "staff.csv",
            school=tmp_path / "school.json",
            out=out,
            as_json=as_json,
        )
        return ending, out.getvalue()

    return go


def test_prints_one_object_a_line_with_the_promised_keys(run: Run) -> None:
    posts = [
        {
            "id": "d1",
            "platform": "x",
            "account": "school",
            "text": "Well done 🎉 Imelda Brackwater!",
            "images": [],
            "labels": [],
        },
        {
            "id": 2,
            "platform": "facebook",
            "account": "staff",
            "text": "Tea time.",
            "images": [{"file": "a.jpg", "alt": None}],
        },
        {"id": "d3", "text": "Sports day is on Friday."},
    ]
    ending, out = run("\n".join(json.dumps(post) for post in posts) + "\n\n")
    lines = [json.loads(line) for line in out.splitlines()]
    assert ending == 0
    assert [line["id"] for line in lines] == ["d1", 2, "d3"]
    (finding,) = lines[0]["findings"]
    assert finding.pop("message").startswith("“Imelda Brackwater” is a pupil's name.")
    assert finding == {
        "rule": "pupil-name-full",
        "clause": "3.1d",
        "severity": "block",
        "field": "text",
        "start": 12,
        "end": 29,
        "quote": "Imelda Brackwater",
    }
    (missing,) = lines[1]["findings"]
    assert (missing["rule"], missing["field"], missing["start"], missing["end"], missing["quote"]) == (
        "alt-text-missing", "images[0].alt", None, None, None,
    )  # fmt: skip
    assert lines[2]["findings"] == []
    assert all(line["ms"] >= 0 for line in lines)


def test_ends_with_0_whatever_was_found_and_speaks_plainly_without_json(run: Run) -> None:
    ending, out = run('{"id": "a", "text": "Ring 07700 900123"}', as_json=False)
    assert ending == 0
    assert out.startswith("a: block (§3.8, contact-phone): “07700 900123” is a personal number")


def test_writes_half_a_character_without_failing(run: Run) -> None:
    ending, out = run('{"id": "a", "text": "\\ud83d Imelda Brackwater"}')
    assert ending == 0
    assert json.loads(out)["findings"][0]["quote"] == "Imelda Brackwater"
    out.encode()


def test_an_empty_file_is_no_mistake(run: Run) -> None:
    assert run("") == (0, "")


@pytest.mark.parametrize(
    ("posts", "says"),
    [
        ('{"id": "a", "text": "x"}\n{"id": "b", "text": \n', "posts.jsonl, line 2: this is not a JSON object"),
        ('{"id": "a", "text": "x"}\n[1]\n', "posts.jsonl, line 2: this is not a JSON object"),
        (
            b'{"id": "a", "text": "x"}\n\n{"id": "b", "text": "caf\xe9"}\n',
            "posts.jsonl, line 3: this is not UTF-8 text",
        ),
        ('{"text": "x"}', "posts.jsonl, line 1: the post has no id"),
        ('{"id": "a", "text": 5}', "posts.jsonl, line 1: text must be text"),
        ('{"id": "a", "text": "x", "images": "a.jpg"}', "posts.jsonl, line 1: images must be"),
        ('{"id": "a", "text": "x", "images": [{"file": "a", "alt": 5}]}', "posts.jsonl, line 1: alt must be text"),
        ("[" * 100_000, "posts.jsonl, line 1: this is not a JSON object"),
    ],
)
def test_cannot_read_broken_posts_and_says_the_line(
    run: Run, capsys: pytest.CaptureFixture[str], posts: str | bytes, says: str
) -> None:
    ending, out = run(posts)
    assert (ending, out) == (2, "")
    assert capsys.readouterr().err.startswith(says)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"roster": "name\nx\n"}, "roster.csv, line 1: the column pupil_id is missing"),
        ({"roster": ""}, "roster.csv, line 1: the column pupil_id is missing"),
        ({"roster": ROSTER + 'p9,"' + "x" * 200_000 + '"\n'}, "roster.csv, line 5"),
        ({"staff": "title\n"}, "staff.csv, line 1: the column first_name is missing"),
        ({"school": "{\n\n!"}, "school.json, line 3: this is not JSON"),
        ({"school": "[]"}, "school.json, line 1: this must be one JSON object"),
        ({"school": '{"phones": "01632"}'}, "school.json: phones must be a list"),
    ],
)
def test_cannot_read_broken_lists(
    run: Run, capsys: pytest.CaptureFixture[str], files: dict[str, str], says: str
) -> None:
    ending, out = run('{"id": "a", "text": "x"}', **files)
    assert (ending, out) == (2, "")
    assert capsys.readouterr().err.startswith(says)


def test_cannot_open_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    assert check_command(gone, roster=gone, staff=gone, school=gone) == 2
    assert "gone cannot be opened" in capsys.readouterr().err
