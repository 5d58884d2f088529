"""The classifier of this deployment: the shipped rules with the organisation's own."""

import json
from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import Connection

from feeds.classify import ItemText, Taxonomy, classify
from feeds.content import Content
from feeds.corrections import Corrections, correct_classification
from feeds.model import Classification
from publisher.languages import CLASSIFIED, rules_language
from publisher.store.newsroom import read_label_rules
from publisher.taxonomy import load_taxonomy, region_rule, theme_rule

Classify = Callable[[ItemText], Classification]


def load_classifier(tx: Connection) -> Classify:
    """The rules as they stand now; compiled once, even where they are loaded again."""
    rules = json.dumps(read_label_rules(tx))
    return lambda text: classify(text, _compile(rules, rules_language(text.language)))


def classify_content(content: Content, corrections: Corrections, classify: Classify) -> Classification:
    """What the content is about by the rules, and above them by the corrections of staff."""
    text = ItemText(content.title, content.summary, content.day, content.language)
    return correct_classification(classify(text), corrections)


@lru_cache(maxsize=2 * len(CLASSIFIED))
def _compile(rules: str, code: str) -> Taxonomy:
    """The compiled rules of a language, kept because compiling takes longer than a collection; ``rules`` is JSON."""
    themes, regions = json.loads(rules)
    return load_taxonomy([theme_rule(row) for row in themes], [region_rule(row) for row in regions], codes=[code])
