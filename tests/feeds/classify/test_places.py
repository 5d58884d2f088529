"""Countries and regions of invented items."""

import pytest

from tests.feeds.classify.conftest import Classify


def _proofs(classified: Classify, summary: str, language: str = "en") -> dict[str, str]:
    matches = classified(summary, language=language).matches
    return {match.label: match.text for match in matches if match.label.startswith("country:")}


@pytest.mark.parametrize(
    ("language", "summary", "label", "text"),
    [
        ("en", "The choir sang in Enugu on Sunday.", "country:NG", "Enugu"),
        ("en", "Moldovan teachers met.", "country:MD", "Moldovan"),
        ("en", "A fair was held in Darfur.", "country:SD", "Darfur"),
        ("en", "Turkey hosts the games.", "country:TR", "Turkey"),
        ("en", "NGOs in Chişinău opened a library.", "country:MD", "Chişinău"),
        ("fr", "Les étudiantes marocaines ont chanté.", "country:MA", "marocaines"),
        ("fr", "La fête a eu lieu à Sikasso.", "country:ML", "Sikasso"),
        ("fr", "Le Caire accueille la foire.", "country:EG", "Le Caire"),
        ("ru", "Ярмарка прошла в Ташкенте.", "country:UZ", "Ташкенте"),
        ("ru", "Белорусские учителя приехали.", "country:BY", "Белорусские"),
        ("ru", "Делегация из Кыргызстана приехала.", "country:KG", "Кыргызстана"),
    ],
)
def test_a_country_is_found_by_name_demonym_town_or_area(
    classified: Classify, language: str, summary: str, label: str, text: str
) -> None:
    assert _proofs(classified, summary, language) == {label: text}


@pytest.mark.parametrize(
    "summary",
    [
        "The workshop was funded by the Government of Denmark.",
        "The Swiss co-funded library opened.",
        "The library opened with the support of the Ministry of Foreign Affairs of Norway.",
        "The Swedish-funded library opened.",
        "The library follows the Geneva Convention.",
        "The leaflet is available in French, Russian and Czech.",
        "The leaflet is available in French, Russian and Czech languages.",
        "The choir learns the Romanian language.",
        "The Brussels Mission Director spoke.",
        "The bridge was closed amid Russia's war of aggression.",
        "A turkey was served on china.",
        "The writer Michael Jordan read a story.",
        "Mr Chad opened the library.",
        "The State of Georgia sent a basketball team.",
        "It cost 3 million US dollars.",
        "Seats in the Nice Hall were taken.",
        "A visit to Latin America was planned.",
    ],
)
def test_donors_languages_offices_persons_and_homonyms_are_no_countries(classified: Classify, summary: str) -> None:
    assert classified(summary).countries == ()


def test_a_russian_list_of_languages_names_no_country(classified: Classify) -> None:
    summary = "Афиша есть на румынском, русском и английском языках."
    assert classified(summary, language="ru").countries == ()


@pytest.mark.parametrize(
    ("summary", "countries"),
    [
        ("GENEVA – Nurses from Ghana left.", ("GH",)),
        ("(Rome/ab) Nurses from Ghana left.", ("GH",)),
        ("A fair opened in Niger State.", ("NG",)),
        ("Niger and Nigeria agreed.", ("NE", "NG")),
        ("Guinea, Guinea-Bissau, Equatorial Guinea and Papua New Guinea voted.", ("GN", "GQ", "GW", "PG")),
        ("Sudan and South Sudan agreed.", ("SD", "SS")),
        ("The Democratic Republic of the Congo and the Republic of the Congo agreed.", ("CD", "CG")),
        ("Funded by Japan, the fair opened in Jordan.", ("JO",)),
        ("Ukraine counted the victims of the Russian invasion.", ("UA",)),
        ("Awa Ode, until now a singer in Lusaka, was appointed head of the choir in Pretoria.", ("ZA",)),
        ("Until now choirs had to travel to Lusaka.", ("ZM",)),
        ("Trains run between Jordan and Iraq.", ("IQ", "JO")),
    ],
)
def test_of_names_that_look_alike_or_stand_beside_others_the_meant_ones_count(
    classified: Classify, summary: str, countries: tuple[str, ...]
) -> None:
    assert classified(summary).countries == countries


@pytest.mark.parametrize(
    ("summary", "regions"),
    [
        ("Nurses from Iraq left.", ("mediterranean", "silk-routes")),
        ("The Central Asian choir sang.", ("eastern-europe-central-asia",)),
        ("Schools in West Africa reopened.", ("africa",)),
        ("The EU-funded choir sang.", ()),
        ("The choir meets EU standards.", ()),
        ("EU member states agreed.", ("eu-west",)),
        ("The Khartoum Process met.", ("eu-west", "africa")),
        ("The Prague Process met.", ("eu-west", "western-balkans-turkiye", "eastern-europe-central-asia")),
        ("Choirs from Europe and beyond sang.", ("eu-west", "global")),
        ("On World Refugee Day, 100 million people are counted.", ("global",)),
        ("On World Refugee Day, the choir sang.", ()),
        ("The choir sang.", ()),
        ("Choirs from seventy countries sang.", ("global",)),
        ("Choirs from 193 Member States sang.", ("global",)),
        ("Choirs from 12 countries sang.", ()),
        ("The choir travelled 70 kilometres.", ()),
        ("Choirs sang in the Gulf states.", ("mediterranean",)),
        ("Choirs sang in the Gulf of Guinea.", ("africa",)),
    ],
)
def test_regions_come_from_countries_names_and_dialogues(
    classified: Classify, summary: str, regions: tuple[str, ...]
) -> None:
    assert classified(summary).regions == regions


def test_the_far_half_of_a_partnership_is_a_donor_where_the_item_is_about_the_near_half(classified: Classify) -> None:
    # given a project named after two countries, and an item about one of them
    summary = "Clerks in Erbil, Iraq, learned to type in the “Norway-Iraq Partnership on Typing” (NIPT)."

    # when it is classified
    found = classified(summary)

    # then only that one counts
    assert found.countries == ("IQ",)
