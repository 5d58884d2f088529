"""What an unsubscribe link shows and does."""

from people import ANA, ANA_DAILY, NOON, dump, link_of, run_import

from publisher.app import App
from publisher.usecases.subscribers import (
    show_subscriber,
)
from publisher.usecases.unsubscribe import LinkState, read_link, unsubscribe
from subscribers.tokens import make_unsubscribe_token


def test_leaving_one_digest_keeps_the_other(app: App) -> None:
    run_import(app, ANA, ANA_DAILY)
    token = link_of(app, "ana@example.org", digest_number=1)

    assert read_link(app, token) == LinkState("en", "The Week", gets_digest=True, gets_others=True)
    assert unsubscribe(app, token, scope="digest") == LinkState("en", "The Week", gets_digest=False, gets_others=True)

    record = show_subscriber(app, "ana@example.org")
    weekly = next(one for one in record.subscriptions if one.cadence == "weekly")
    assert (weekly.ended_at, weekly.end_reason) == (NOON, "unsubscribed")
    assert record.subscriber.status == "confirmed"
    assert (record.consents[-1].what, record.consents[-1].how) == ("unsubscribed", "link: weekly")


def test_leaving_the_last_digest_or_all_of_them_unsubscribes(app: App) -> None:
    run_import(app, ANA, ANA_DAILY)

    state = unsubscribe(app, link_of(app, "ana@example.org"), scope="all")

    assert state == LinkState("en", "The Week", gets_digest=False, gets_others=False)
    assert show_subscriber(app, "ana@example.org").subscriber.status == "unsubscribed"


def test_unsubscribing_twice_records_it_once(app: App) -> None:
    run_import(app, ANA)
    token = link_of(app, "ana@example.org")

    first = unsubscribe(app, token, scope="digest")
    before = dump(app)

    assert unsubscribe(app, token, scope="digest") == first
    assert unsubscribe(app, token, scope="all") == first
    assert dump(app) == before


def test_a_link_of_a_digest_that_is_unknown_ends_everything(app: App) -> None:
    run_import(app, ANA, ANA_DAILY)

    state = unsubscribe(app, link_of(app, "ana@example.org", digest_number=9), scope="digest")

    assert state == LinkState("en", "", gets_digest=False, gets_others=False)


def test_a_link_of_nobody_is_none(app: App) -> None:
    token = make_unsubscribe_token(app.secret, subscriber_id=4711, digest_number=1)

    assert read_link(app, token) is None
    assert unsubscribe(app, token, scope="all") is None
