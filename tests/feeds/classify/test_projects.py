"""Names of projects in invented items."""

import pytest

from tests.feeds.classify.conftest import Classify


@pytest.mark.parametrize(
    ("summary", "projects"),
    [
        ("The project “Rivers without Rust” (RIRU) began.", ("RIRU",)),
        ("The Clean Harbour Initiative (CLAHI) began.", ("CLAHI",)),
        ("SONATA (Songs Of Northern And Tropical Areas) began.", ("SONATA",)),
        ("The projects ONDA and MAREA began.", ("ONDA", "MAREA")),
        ("The team works in the framework of FLORA 3.", ("FLORA 3",)),
        ("The Bluebird Project counted boats.", ("Bluebird",)),
        ("A new Project counted boats.", ()),
        ("Clerks of the Bluebird Project counted boats.", ("Bluebird",)),
        ("A dinner of the Khartoum Process was held.", ("Khartoum Process",)),
        ("The Harbour Ministry (HAMI) and the Council of Clerks (COC) met.", ()),
        ("IOM, UNHCR and the EU met.", ()),
        ("A NASA rocket flew.", ()),
        ("FLORA 3 began. Later, FLORA 3 ended.", ("FLORA 3",)),
    ],
)
def test_projects_are_recognised_by_how_they_are_printed(
    classified: Classify, summary: str, projects: tuple[str, ...]
) -> None:
    assert classified(summary).projects == projects


def test_an_acronym_in_the_title_is_a_project_and_an_organisation_is_not(classified: Classify) -> None:
    assert classified("Forty clerks sang.", "MAREA choir opens").projects == ("MAREA",)
    assert classified("Forty clerks sang.", "UNHCR choir opens").projects == ()


@pytest.mark.parametrize(
    ("language", "summary", "project"),
    [
        ("fr", "Le projet MARELLE forme des bibliothécaires.", "MARELLE"),
        ("fr", "Le Programme de lecture publique dans les ports (PLPP) commence.", "PLPP"),
        ("ru", "Курс прошёл в рамках МАРЕЯ.", "МАРЕЯ"),
        ("ru", "Пражский процесс подвёл итоги.", "Пражский процесс"),
    ],
)
def test_projects_are_recognised_in_french_and_russian(
    classified: Classify, language: str, summary: str, project: str
) -> None:
    assert classified(summary, language=language).projects == (project,)
