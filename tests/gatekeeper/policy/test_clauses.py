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


def test_every_clause_of_the_policy_is_there() -> None:
    policy = (
        "1.1a 1.1b 1.1c 1.2 1.3 1.4 1.5 2.0 2A 2B 2C 3.1a 3.1b 3.1c 3.1d 3.2 3.3a 3.3b 3.3c 3.3d 3.4 3.5 3.6 3.7 3.8 "
        "4.1 4.2 5.1 5.2 5.3 5.4 5.5 5.6 6.1 6.2 7.1 7.2 7.3 7.4a 7.4b"
    )
    assert list(clauses()) == policy.split()


def test_no_number_stands_twice() -> None:
    data = tomllib.loads((Path(__file__).parents[3] / "gatekeeper/policy/clauses.toml").read_text(encoding="utf-8"))
    numbers = [entry["id"] for entry in data["clause"]]
    assert len(numbers) == len(set(numbers))


def test_every_rule_of_the_word_checker_serves_a_clause_of_the_policy() -> None:
    rules = Path(str(gatekeeper.text.__file__)).parent / "data/rules.toml"
    named = {entry["clause"] for entry in tomllib.loads(rules.read_text(encoding="utf-8"))["rule"]}
    assert named <= set(clauses())
