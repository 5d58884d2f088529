"""Kinds of invented items."""

import pytest

from tests.feeds.classify.conftest import Classify


@pytest.mark.parametrize(
    ("title", "summary", "kind"),
    [
        ("Call for papers on harbours", "Send an abstract by 1 July 2025.", "call"),
        ("Grants for choirs", "Applications are accepted until 1 July 2025.", "call"),
        ("Winners of the call for proposals", "Five choirs were selected for a grant.", "news"),
        ("Interview with a harbour master", "She speaks about fog.", "opinion"),
        ("Choir finishes a course on interview techniques", "Forty clerks sang.", "training"),
        ("Council appoints a new Director General", "She is a singer.", "appointment"),
        ("Director General confirmed support for choirs", "The two met.", "news"),
        ("Harbour visit", "He met the newly appointed Director General.", "news"),
        ("Handbook for harbour masters published", "It has ninety pages.", "publication"),
        (None, "A new study by two singers shows that fog is rising.", "publication"),
        ("Clerks abroad", "Ten clerks returned from a study visit to Ghana.", "event"),
        ("Training for clerks", "Forty clerks took part.", "training"),
        (None, "In the framework of the FLORA training course, forty clerks took part in a conference.", "event"),
        ("Choirs meet", "The seminar gathered forty clerks.", "event"),
        ("Harbour opens", "Ships may enter.", "news"),
        ("A common form", "Pilots met in Ghent on 3 June 2025 to agree on it.", "event"),
        ("Pilots met in Ghent", "They are neighbours.", "news"),
        ("Third Harbour Week opens in Ghent", "Mayors came.", "event"),
        ("Pilots meet", "Forty pilots met for a training in Ghent.", "training"),
        ("Pilots learn how to read fog", "Forty took part.", "training"),
        ("Fog and its friends", "Awa Ode gives a lecture on 3 June 2025.", "event"),
        ("Less fog", "Fog fell by a third, according to our bulletin published on Thursday.", "publication"),
        ("Pilots complete their induction in Ghent", "They spent two weeks at sea.", "training"),
        ("Harbour Barometer: fog grows", "The barometer compares forty harbours.", "publication"),
        ("Fog is getting cheaper", "Fog has become cheaper within two years, a new study finds.", "publication"),
        ("Statistics offices share a harbour", "They keep a boat there.", "news"),
        ("Why I left the harbour", "A pilot looks back.", "opinion"),
    ],
)
def test_the_first_kind_that_fits_is_taken(classified: Classify, title: str | None, summary: str, kind: str) -> None:
    assert classified(summary, title).kind == kind


@pytest.mark.parametrize(
    ("language", "title", "summary", "kind"),
    [
        ("fr", "Appel à candidatures", "Les chœurs peuvent postuler jusqu'au 1er juillet 2025.", "call"),
        ("fr", "Nouveau guide des ports", "Le guide est disponible en ligne.", "publication"),
        ("fr", "Port : un atelier", "L'atelier a réuni quarante élus.", "event"),
        ("fr", "Une directrice pour le port", "Awa Sow a été nommée directrice générale.", "appointment"),
        ("fr", "Trois offices statistiques au port", "Ils partagent un bateau.", "news"),
        ("fr", "Baromètre du port", "Le baromètre compare dix ports.", "publication"),
        ("ru", "В порту открыли мастерскую", "В ней работают сорок певцов.", "news"),
        ("ru", "Новый доклад о портах", "Доклад опубликован сегодня.", "publication"),
        ("ru", "Порт", "Сорок певцов прошли обучение.", "training"),
        ("ru", "Конференция о портах", "Приехали сорок певцов.", "event"),
        ("ru", "Порт", "Новый директор избран: генеральный директор поёт.", "appointment"),
    ],
)
def test_kinds_are_found_in_french_and_russian(
    classified: Classify, language: str, title: str, summary: str, kind: str
) -> None:
    assert classified(summary, title, language=language).kind == kind


def test_every_kind_but_news_has_a_proof(classified: Classify) -> None:
    seminar, harbour = classified("The seminar gathered forty clerks."), classified("The harbour opened.")
    assert ("kind:event", "seminar") in [(match.label, match.text) for match in seminar.matches]
    assert not any(match.label.startswith("kind:") for match in harbour.matches)
