"""The word lists of the name rules, read once from data/names.toml."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Vocabulary:
    """Sets of folded words; `cues` and `phrases` are sequences of words."""

    word_names: frozenset[str]
    seasons: frozenset[str]
    places: frozenset[str]
    surname_like: frozenset[str]
    titles: frozenset[str]
    adult_roles: frozenset[str]
    institutions: frozenset[str]
    animals: frozenset[str]
    kin: frozenset[str]
    person_verbs: frozenset[str]
    soft_verbs: frozenset[str]
    pronouns: frozenset[str]
    determiners: frozenset[str]
    fiction_cues: frozenset[str]
    particles: frozenset[str]
    word_surnames: frozenset[str]
    acronyms: frozenset[str]
    class_links: frozenset[str]
    tag_words: frozenset[str]
    function_words: frozenset[str]
    plain_titles: frozenset[str]
    articles: frozenset[str]
    naming: frozenset[str]
    he_or_she: frozenset[str]
    one_child: frozenset[str]
    calendar: frozenset[str]
    cues: frozenset[tuple[str, ...]]
    phrases: tuple[tuple[str, ...], ...]


@cache
def vocabulary() -> Vocabulary:
    """The lists as shipped with the product."""
    data = tomllib.loads(files("gatekeeper.text").joinpath("data/names.toml").read_text(encoding="utf-8"))
    found: dict[str, frozenset[str] | frozenset[tuple[str, ...]] | tuple[tuple[str, ...], ...]] = {}
    for field in fields(Vocabulary):
        value = data[field.name]
        if isinstance(value, str):
            found[field.name] = frozenset(value.split())
        elif field.name == "cues":
            found[field.name] = frozenset(tuple(phrase.split()) for phrase in value)
        else:
            found[field.name] = tuple(tuple(phrase.replace("'", " '").split()) for phrase in value)
    return Vocabulary(**found)  # type: ignore[arg-type]
