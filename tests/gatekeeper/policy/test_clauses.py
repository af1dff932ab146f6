"""The clauses as data: complete, unique, and every rule of the word checker names one."""

import tomllib
from pathlib import Path

import gatekeeper.text
from gatekeeper.policy.clauses import MODES, clauses


def test_every_clause_has_a_number_a_text_and_known_modes() -> None:
    assert len(clauses()) == 40
    for number, clause in clauses().items():
        assert number == clause.id
        assert clause.text.endswith(".")
        assert clause.modes == tuple(MODES[letter] for letter in clause.mode.split("/"))


def test_no_number_stands_twice() -> None:
    data = tomllib.loads((Path(__file__).parents[3] / "gatekeeper/policy/clauses.toml").read_text(encoding="utf-8"))
    numbers = [entry["id"] for entry in data["clause"]]
    assert len(numbers) == len(set(numbers))


def test_every_rule_of_the_word_checker_serves_a_clause_of_the_policy() -> None:
    rules = Path(str(gatekeeper.text.__file__)).parent / "data/rules.toml"
    named = {entry["clause"] for entry in tomllib.loads(rules.read_text(encoding="utf-8"))["rule"]}
    assert named <= set(clauses())
