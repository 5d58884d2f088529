"""The shipped taxonomy: rules from ``data/*.toml``, names of places from CLDR and GeoNames, compiled."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from feeds.classify import ProjectRule, RegionRule, Rules, Taxonomy, Terms, ThemeRule, compile_taxonomy
from feeds.model import GENERAL, GLOBAL, Label
from publisher.errors import ConfigError
from publisher.languages import CLASSIFIED, languages
from publisher.places import place_names

_ENDING = ("ended", "successor")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_Rule = TypeVar("_Rule", ThemeRule, RegionRule)


def load_taxonomy(
    themes: Sequence[ThemeRule] = (), regions: Sequence[RegionRule] = (), *, codes: Iterable[str] = CLASSIFIED
) -> Taxonomy:
    """The shipped taxonomy with these rows: one of a shipped id replaces it, a new one stands before the catch-all.

    A row without terms and countries keeps the shipped ones, so that a name can be changed alone. ``codes`` are the
    languages to compile, which takes a third of a second each; the first reads texts in all others.
    """
    wanted = [languages()[code] for code in codes]
    shipped, own_places = shipped_rules(), _toml("places")
    rules = replace(
        shipped,
        themes=_merged(shipped.themes, themes, last=GENERAL),
        regions=_merged(shipped.regions, regions, last=GLOBAL),
        places={language.code: tuple(place_names(language.code, own_places)) for language in wanted},
    )
    return compile_taxonomy(rules, wanted)


@cache
def shipped_labels() -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """Codes and names of the shipped themes and regions."""
    data = _toml("taxonomy")
    themes, regions = (tuple(Label(row["id"], row["title"]) for row in data[axis]) for axis in ("themes", "regions"))
    return themes, regions


def theme_rule(row: Mapping[str, Any]) -> ThemeRule:  # a TOML table, checked here
    """A ``[[themes]]`` row as a rule. Raises ConfigError naming the row and the key."""
    _check_keys(row, {"id", "title", "terms", *_ENDING}, axis="themes")
    return ThemeRule(row["id"], dict(row["title"]), _terms(row, axis="themes"))


def region_rule(row: Mapping[str, Any]) -> RegionRule:  # a TOML table, checked here
    """A ``[[regions]]`` row as a rule. Raises ConfigError naming the row and the key."""
    _check_keys(row, {"id", "title", "countries", "terms", *_ENDING}, axis="regions")
    countries = row.get("countries", ())
    if not isinstance(countries, list | tuple) or not all(_is_country(code) for code in countries):
        raise ConfigError(f'[[regions]] "{row["id"]}": countries must be a list of two-letter codes such as "MD"')
    return RegionRule(row["id"], dict(row["title"]), tuple(countries), _terms(row, axis="regions"))


@cache
def shipped_rules() -> Rules:
    """All shipped rules but names of places. Read once; the values are not changed by anyone."""
    data, cues = _toml("taxonomy"), _toml("cues")
    return Rules(
        themes=tuple(theme_rule(row) for row in data["themes"]),
        regions=tuple(region_rule(row) for row in data["regions"]),
        projects=tuple(_project_rule(row) for row in _toml("projects")["projects"]),
        cues={name: _by_language(terms) for name, terms in cues["cues"].items()},
        words={name: _by_language(terms) for name, terms in cues["words"].items()},
        organisations=frozenset(_data("organisations.txt").upper().split()),
    )


def _merged(shipped: tuple[_Rule, ...], rows: Sequence[_Rule], *, last: str) -> tuple[_Rule, ...]:
    merged: dict[str, _Rule] = {rule.id: rule for rule in shipped}
    for row in rows:
        merged[row.id] = _completed(row, merged[row.id]) if row.id in merged else row
    ordered: list[_Rule] = sorted(merged.values(), key=lambda rule: rule.id == last)
    return tuple(ordered)


def _completed(row: _Rule, shipped: _Rule) -> _Rule:
    is_name_only = not row.terms and not (isinstance(row, RegionRule) and row.countries)
    return replace(shipped, title=row.title) if is_name_only else row


def _project_rule(row: Mapping[str, Any]) -> ProjectRule:  # a TOML table of our own data
    return ProjectRule(
        row["id"], _by_language(row["terms"]), tuple(row.get("themes", ())), tuple(row.get("regions", ()))
    )


def _check_keys(row: Mapping[str, Any], known: set[str], *, axis: str) -> None:
    if not isinstance(row.get("id"), str) or not _ID.fullmatch(row["id"]):
        raise ConfigError(f"[[{axis}]]: every row needs an id of lower-case letters, digits and hyphens")
    name = f'[[{axis}]] "{row["id"]}"'
    if not isinstance(row.get("title"), Mapping) or not row["title"]:
        raise ConfigError(f'{name}: title must be a table of names by language, e.g. title = {{ en = "Health" }}')
    _check_ending(row, name)
    unknown = sorted(set(row) - known)
    if unknown:
        raise ConfigError(f"{name}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _check_ending(row: Mapping[str, Any], name: str) -> None:
    if not isinstance(row.get("ended", False), bool):
        raise ConfigError(f"{name}: ended must be true or false")
    successor = row.get("successor")
    if successor is not None and not (isinstance(successor, str) and row.get("ended") and successor != row["id"]):
        raise ConfigError(f"{name}: successor must be the id of another row, of one that has ended = true")
    shipped = {label.id for labels in shipped_labels() for label in labels}
    if row.get("ended") and row["id"] in shipped:
        raise ConfigError(f"{name}: is shipped and cannot end. Give it another title instead")


def _terms(row: Mapping[str, Any], *, axis: str) -> Terms:
    terms = row.get("terms", {})
    is_table = isinstance(terms, Mapping) and all(_is_list_of_text(values) for values in terms.values())
    if not is_table:
        raise ConfigError(
            f'[[{axis}]] "{row["id"]}": terms must be lists by language, e.g. terms = {{ en = ["clinic"] }}'
        )
    return _by_language(terms)


def _is_list_of_text(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)


def _is_country(code: object) -> bool:
    return isinstance(code, str) and len(code) == 2 and code.isascii() and code.isupper()


def _by_language(terms: Mapping[str, Sequence[str]]) -> Terms:
    return {language: tuple(values) for language, values in terms.items()}


def _toml(name: str) -> dict[str, Any]:  # TOML of our own data
    return tomllib.loads(_data(f"{name}.toml"))


def _data(name: str) -> str:
    return files("publisher").joinpath("data", name).read_text(encoding="utf-8")
