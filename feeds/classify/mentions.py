"""How names of projects are printed: beside an acronym, between quotation marks, before the word ``Project``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feeds.classify.context import Reading
from feeds.classify.taxonomy import Taxonomy, fold
from feeds.model import Match

MAX_NAME_WORDS = 24
"""Words of a name in front of its acronym."""

_UP = r"[A-ZА-ЯЁ]"
_PART = rf"(?:{_UP}\w{{0,20}}{_UP}\w{{0,20}}|{_UP}(?=-{_UP}{{2}}))"
_GAP = r"[^\S\n]"
"""A space within a line: a name never reaches from the title into the summary."""

ACRONYM = (
    rf"{_PART}(?:[-/](?:{_UP}|\d)\w{{0,20}}){{0,4}}"
    rf"(?:{_GAP}{_UP}{{2,10}}(?!\w)){{0,2}}(?:{_GAP}(?:\d{{1,2}}|I{{1,3}}|IV|V)(?!\w))?"
)
_ACRONYM_ALONE = re.compile(rf"(?:\w{{4,12}}{_GAP})?({ACRONYM})\Z")
_ACRONYM_BEFORE = re.compile(rf"(?<!\w)({ACRONYM}){_GAP}\Z")
_PARENTHESIS = re.compile(r"\(([^()\n]{2,160})\)")
_OPEN, _CLOSE = '“"«„', '”"»“'
_QUOTED = re.compile(rf"[{_OPEN}]{_GAP}?([^{_OPEN}{_CLOSE}\n]{{8,200}}?){_GAP}?[{_CLOSE}]")
_CAPITALISED = rf"{_UP}[a-zà-ÿа-яё’'-]{{2,30}}"
_NAME_PROJECT = re.compile(rf"(?<=[\w,]{_GAP})({_CAPITALISED}){_GAP}Project(?!\w)")
_NUMBERED = re.compile(
    rf"(?<!\w)({_CAPITALISED}{_GAP}(?:for|on|to)(?:{_GAP}(?:{_CAPITALISED}|and|of|the)){{1,6}}{_GAP}[IV]{{1,3}})(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Characters that name a project, and the key that its spellings share."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """An acronym with the characters of its full name, of a project or of an organisation."""

    mention: Mention
    name: range
    is_project: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A project named by an item: its name as first printed, and the key under which the taxonomy knows it."""

    name: str
    key: str
    text: str

    @property
    def match(self) -> Match:
        return Match(f"project:{self.name}", self.text)


def mention_at(text: str, start: int, end: int) -> Mention:
    return Mention(start, end, fold(text[start:end]))


def expansions(reading: Reading, taxonomy: Taxonomy) -> list[Expansion]:
    """Acronyms beside their full names: ``“Name” (ACR)``, ``Name (ACR)``, ``ACR (Name)``."""
    found = []
    for parenthesis in _PARENTHESIS.finditer(reading.document.text):
        expansion = _name_first(reading, parenthesis) or _acronym_first(reading, parenthesis)
        if expansion and expansion.mention.key.upper() not in taxonomy.organisations:
            found.append(expansion)
    return found


def named_mentions(reading: Reading) -> Iterator[Mention]:
    """Projects that are named without an acronym."""
    text = reading.document.text
    for found in _QUOTED.finditer(text):
        if _is_quoted_project(reading, found):
            yield mention_at(text, found.start(1), found.end(1))
    for found in _NAME_PROJECT.finditer(text):
        word = reading.document.word_at(found.start(1))
        is_plain = reading.rules.has("not_a_name", reading.word(word)) or _is_place(reading, word)
        if not is_plain and not reading.document.is_in_title(found.start()):
            yield mention_at(text, found.start(1), found.end(1))
    for found in _NUMBERED.finditer(text):
        if reading.rules.has("project_noun", reading.word(reading.document.word_at(found.start(1)))):
            yield mention_at(text, found.start(1), found.end(1))


def _is_place(reading: Reading, word: int) -> bool:
    return any(hit.entry.axis in {"country", "region"} and hit.first <= word < hit.last for hit in reading.hits)


def _name_first(reading: Reading, parenthesis: re.Match[str]) -> Expansion | None:
    acronym = _ACRONYM_ALONE.match(parenthesis[1])
    if not acronym:
        return None
    text, opening = reading.document.text, parenthesis.start()
    start = parenthesis.start(1) + acronym.start(1)
    mention = mention_at(text, start, parenthesis.start(1) + acronym.end(1))
    before = text[max(0, opening - 220) : opening].rstrip()
    quoted = re.search(rf"[{_OPEN}]([^{_OPEN}{_CLOSE}\n]{{4,200}})[{_CLOSE}]\Z", before)
    if quoted:
        begin = max(0, opening - 220) + quoted.start(1)
        return Expansion(mention, range(begin, begin + len(quoted[1])), is_project=True)
    return _unquoted(reading, mention, opening=opening, after=parenthesis.end())


def _unquoted(reading: Reading, mention: Mention, *, opening: int, after: int) -> Expansion | None:
    """A name that runs up to its acronym in parentheses; a project if one of its words, or the next word, says so."""
    last = reading.document.word_at(opening)
    first = _first_of_name(reading, last)
    if first == last:
        return None
    words = [reading.word(index) for index in range(first, last)]
    has_noun = any(reading.rules.has("project_noun", word) for word in words)
    is_body = any(reading.rules.has("body_noun", word) for word in words)
    is_followed = reading.rules.has("project_word", reading.word(reading.document.word_at(after)))
    name = range(reading.document.words[first].start, opening)
    return Expansion(mention, name, is_project=is_followed or (has_noun and not is_body))


def _first_of_name(reading: Reading, last: int) -> int:
    """Where the name in front of an acronym begins: its capitalised words, or the noun that opens it."""
    first = last
    is_capitalised_language = reading.rules.vocabulary.language.code == "en"
    for index in range(last - 1, max(-1, last - MAX_NAME_WORDS), -1):
        if re.search(r"[.;:!?()“”«»\n]", reading.gap(index + 1) if index + 1 < last else ""):
            break
        is_capital = not reading.printed(index)[0].islower()
        if is_capital and (is_capitalised_language or reading.rules.has("project_noun", reading.word(index))):
            first = index
            continue
        if is_capitalised_language and not reading.rules.has("connector", reading.word(index)):
            break
        if not is_capitalised_language and reading.rules.has("project_noun", reading.word(index)):
            return index
    return first


def _acronym_first(reading: Reading, parenthesis: re.Match[str]) -> Expansion | None:
    """``ACR (Full Name of It)``: the name's initials must begin as the acronym does."""
    text = reading.document.text
    lead = max(0, parenthesis.start() - 60)
    found = _ACRONYM_BEFORE.search(text[lead : parenthesis.start()])
    name = parenthesis[1]
    if not found or len(name.split()) < 3 or name[:1].upper() != found[1][:1].upper():
        return None
    mention = mention_at(text, lead + found.start(1), lead + found.end(1))
    first, last = reading.document.word_at(parenthesis.start(1)), reading.document.word_at(parenthesis.end(1))
    is_body = any(reading.rules.has("body_noun", reading.word(index)) for index in range(first, last))
    return Expansion(mention, range(parenthesis.start(1), parenthesis.end(1)), is_project=not is_body)


def _is_quoted_project(reading: Reading, found: re.Match[str]) -> bool:
    """Whether quotation marks hold a project: the word beside says so, or it is named like one."""
    document = reading.document
    first, last = document.word_at(found.start(1)), document.word_at(found.end(1))
    if document.text[found.end() : found.end() + 2].lstrip().startswith("(") or last - first < 3:
        return False
    if re.search(rf"\({ACRONYM}\)\s?\Z", found[1]):
        return False
    beside = (reading.word(first - 1), reading.word(last))
    if any(reading.rules.has("project_word", word) for word in beside):
        return True
    has_noun = any(reading.rules.has("project_noun", reading.word(index)) for index in range(first, last))
    return has_noun and reading.word(first).endswith("ing")
