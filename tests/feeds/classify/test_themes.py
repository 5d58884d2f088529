"""Themes of invented items."""

from datetime import date

import pytest

from feeds.classify import ItemText, Taxonomy, classify, learn_projects
from tests.feeds.classify.conftest import Classify


@pytest.mark.parametrize(
    ("language", "summary", "themes"),
    [
        ("en", "A new reception centre for asylum seekers opened in the hills.", ("asylum",)),
        ("en", "Coast guards of both islands trained side by side.", ("border-visa",)),
        ("en", "The hotline helps victims of human trafficking.", ("trafficking",)),
        ("en", "Police arrested two smugglers on the lake.", ("irregular-return",)),
        ("en", "Diaspora members sent remittances worth a bridge.", ("development",)),
        ("en", "The orchestra toured three valleys.", ("general",)),
        ("en", "Three start-ups share a boat.", ("development",)),
        ("en", "One desk serves people who return.", ("irregular-return",)),
        ("en", "Singers who work abroad sent a piano.", ("general",)),
        ("fr", "Un accord sur le travail saisonnier a été signé.", ("legal-integration",)),
        ("fr", "Le guichet unique délivre des titres de séjour.", ("legal-integration",)),
        ("fr", "Des réfugiées ont ouvert une boulangerie.", ("asylum",)),
        ("ru", "Жертвам торговли людьми помогут адвокаты.", ("trafficking",)),
        ("ru", "Пограничники получили новые приборы.", ("border-visa",)),
        ("ru", "Мигранты вернулись домой: о реинтеграции говорили на ярмарке.", ("irregular-return",)),
    ],
)
def test_a_topic_brings_its_theme_in_each_language(
    classified: Classify, language: str, summary: str, themes: tuple[str, ...]
) -> None:
    assert classified(summary, language=language).themes == themes


@pytest.mark.parametrize(
    "summary",
    [
        "The Ministry of Labour and Asylum moved to a new building.",
        "The UN Refugee Agency bought bicycles.",
        "The Border League is an international organisation working on asylum and visas.",
        "Doctors Without Borders opened a kitchen.",
        "The state carried out its regional integration agenda.",
    ],
)
def test_names_of_organisations_and_background_bring_no_theme(classified: Classify, summary: str) -> None:
    assert classified(summary).themes == ("general",)


def test_a_longer_term_hides_the_shorter_one_inside_it(classified: Classify) -> None:
    # given a topic whose words hold the name of another one
    summary = "Families crossed the border in the night; refugees spoke of it."

    # when it is classified
    found = classified(summary)

    # then the border is no topic
    assert found.themes == ("asylum",)


@pytest.mark.parametrize(
    ("title", "summary", "primary"),
    [
        ("Remittances fall", "Fees rose. Visa rules changed as well.", "development"),
        (None, "The council agreed on visas and on asylum.", "border-visa"),
        (None, "Asylum, visas and remittances were on the table.", None),
        (None, "Asylum seekers, refugees, reception centres and visas, even remittances, were on the table.", "asylum"),
    ],
)
def test_the_primary_theme_is_the_titles_then_the_first_then_the_majoritys(
    classified: Classify, title: str | None, summary: str, primary: str | None
) -> None:
    assert classified(summary, title).primary_theme == primary


def test_a_project_brings_its_theme_to_items_that_print_its_acronym_only(taxonomy: Taxonomy) -> None:
    # given one item that expands a project's name, and another that does not
    expanding = ItemText(None, "The project “Fair Paths for Asylum in Nordland” (FAPAN) began.", date(2025, 6, 1))
    other = ItemText("FAPAN: choir practice", "Forty people sang.", date(2025, 6, 2))

    # when the taxonomy has read the first one
    learnt = learn_projects([expanding], taxonomy)

    # then the second has the project's theme, proved by the acronym; before, it had none
    assert classify(other, taxonomy).themes == ("general",)
    found = classify(other, learnt)
    assert (found.themes, found.primary_theme) == (("asylum",), "asylum")
    assert ("theme:asylum", "FAPAN") in [(match.label, match.text) for match in found.matches]
