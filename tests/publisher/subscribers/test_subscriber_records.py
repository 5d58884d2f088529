"""Export, show and erase on a real database."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from people import ANA, ANA_DAILY, NOON, counts, dump, link_of, make_config, run_import
from sqlalchemy import func, insert, select, update

from publisher.app import App, build_app
from publisher.errors import ConfigError, NotFoundError
from publisher.store import deliveries as ledger
from publisher.store import schema
from publisher.store.schema_dispatch import deliveries, delivery_events
from publisher.store.subscribers import find_suppression, suppress
from publisher.usecases.subscribers import (
    erase_subscriber,
    export_subscribers,
    import_subscribers,
    show_subscriber,
)
from publisher.usecases.unsubscribe import LinkState, unsubscribe


def test_an_export_has_a_line_per_active_subscription_else_the_last_that_ended(app: App) -> None:
    run_import(app, ANA, ANA_DAILY, ANA.replace("ana@", "ben@"))
    unsubscribe(app, link_of(app, "ana@example.org"), scope="digest")
    unsubscribe(app, link_of(app, "ben@example.org"), scope="digest")

    _, *lines = export_subscribers(app)

    assert lines == [
        ANA_DAILY + "\r\n",
        ANA.replace("ana@", "ben@").replace("confirmed", "unsubscribed") + "\r\n",
    ]


def test_who_is_suppressed_is_exported_as_unsubscribed(app: App) -> None:
    run_import(app, ANA, ANA.replace("ana@", "ben@"))
    plan_delivery(app, reply="550 5.1.1 unknown")

    with app.database.write() as tx:
        suppress(tx, app.secret, delivery_id=1, reason="complaint", now=NOON)

    _, *lines = export_subscribers(app)
    assert lines == [ANA.replace("confirmed", "unsubscribed") + "\r\n", ANA.replace("ana@", "ben@") + "\r\n"]


def test_an_export_read_into_an_empty_database_gives_the_same_export(app: App, tmp_path: Path) -> None:
    formula = ANA.replace("Ana Kovač", '"=HYPERLINK(""x"")"').replace("ana@", "-ana@")
    run_import(app, ANA, ANA_DAILY, formula, ANA.replace("ana@", "gone@").replace("confirmed", "unsubscribed"))
    exported = list(export_subscribers(app))
    (tmp_path / "other").mkdir()
    other = build_app(make_config(tmp_path / "other"), clock=lambda: NOON + timedelta(days=1))

    report = import_subscribers(other, [line.encode() for line in exported], actor="import")

    assert not report.problems
    assert list(export_subscribers(other)) == exported
    assert "'=HYPERLINK" in exported[3]
    other.database.close()


def test_a_record_is_json(app: App) -> None:
    run_import(app, ANA)

    record = show_subscriber(app, "ana@example.org").to_json()

    assert record["email"] == "ana@example.org"
    assert record["created_at"] == "2026-11-23T12:00:00+00:00"
    assert record["subscriptions"][0]["criteria"]["themes"] == ["asylum"]
    assert record["consents"][0]["what"] == "imported"
    assert (record["suppression"], record["deliveries"]) == (None, [])


def test_an_unknown_address_and_what_is_none_are_refused(app: App) -> None:
    for use in (show_subscriber, partial(erase_subscriber, actor="staff:eve")):
        with pytest.raises(NotFoundError, match=r"Nobody has the address nobody@example\.org"):
            use(app, "nobody@example.org")
        with pytest.raises(ConfigError, match="is not a mail address"):
            use(app, "nobody")


def plan_delivery(app: App, *, reply: str) -> None:
    moments = dict.fromkeys(("window_start", "window_end", "reach_start", "opened_at"), NOON)
    edition = {"id": "weekly-1", "digest_id": "weekly", "state": "planned", "content_hash": "", **moments}
    variant = {"id": 1, "edition_id": "weekly-1", "language": "en", "mask": b"\x01", "uid": "u"}
    outcome = {"state": "failed", "reply": reply}
    delivery = {"id": 1, "edition_id": "weekly-1", "subscriber_id": 1, "variant_id": 1, "changed_at": NOON}
    person = {"email": "ana@example.org", "name": "Ana Kovač"}
    with app.database.write() as tx:
        tx.execute(insert(schema.editions).values(**edition))
        tx.execute(insert(schema.variants).values(**variant))
        tx.execute(insert(deliveries).values(**delivery, **outcome, **person))
        tx.execute(insert(delivery_events).values(id="1:1", delivery_id=1, at=NOON, **outcome))


def test_erasure_leaves_no_trace_of_a_person_in_any_table_but_keeps_the_counts(app: App) -> None:
    run_import(app, ANA)
    plan_delivery(app, reply="550 5.1.1 <ana@example.org> Kovač is unknown")

    erase_subscriber(app, "Ana@example.org", actor="staff:eve")

    with app.database.read() as tx:
        everything = repr([tuple(row) for table in schema.metadata.sorted_tables for row in tx.execute(select(table))])
        assert tx.execute(select(deliveries.c.reply, deliveries.c.state)).one() == (
            "550 5.1.1",
            "failed",
        )
        assert tx.execute(select(func.count()).select_from(schema.subscriptions)).scalar_one() == 1
        assert tx.execute(select(schema.subscribers.c.status)).scalar_one() == "erased"
    assert "ana" not in everything.lower()
    assert "kova" not in everything.lower()


def test_a_reply_that_comes_after_the_erasure_leaves_only_its_code(app: App) -> None:
    run_import(app, ANA)
    plan_delivery(app, reply="")
    with app.database.write() as tx:
        tx.execute(update(deliveries).values(state="sending", fence=7))
    erase_subscriber(app, "ana@example.org", actor="staff:eve")
    outcome = ledger.Change(1, "failed", "550 5.1.1 <ana@example.org>: rejected", attempts=2)

    with app.database.write() as tx:
        ledger.settle(tx, [outcome], fence=7, now=NOON)
        ledger.record_events(tx, [outcome], NOON)

    with app.database.read() as tx:
        assert tx.execute(select(deliveries.c.state, deliveries.c.reply)).one() == (
            "failed",
            "550",
        )
        assert tx.execute(select(delivery_events.c.reply)).scalars().all() == ["", "550"]


def test_an_erased_address_is_known_by_its_hash_and_cannot_come_back(app: App) -> None:
    run_import(app, ANA)
    token = link_of(app, "ana@example.org")
    erase_subscriber(app, "ana@example.org", actor="staff:eve")
    erase_subscriber(app, "ana@example.org", actor="staff:eve")
    before = dump(app)

    report = run_import(app, ANA, ANA_DAILY)

    assert (counts(report), report.held_back) == ((0, 0, 2, 0), 2)
    assert dump(app) == before
    assert unsubscribe(app, token, scope="all") == LinkState("en", "The Week", gets_digest=False, gets_others=False)
    assert dump(app) == before
    with pytest.raises(NotFoundError, match=r"suppressed \(erased\)"):
        show_subscriber(app, "ana@example.org")


def test_a_dead_address_is_suppressed_once_with_its_first_reason(app: App) -> None:
    run_import(app, ANA)
    plan_delivery(app, reply="550 5.1.1 unknown")

    with app.database.write() as tx:
        assert suppress(tx, app.secret, delivery_id=1, reason="bounce", now=NOON)
        assert not suppress(tx, app.secret, delivery_id=1, reason="complaint", now=NOON)
        found = find_suppression(tx, app.secret, address_key="ana@example.org")

    assert found is not None
    assert found.reason == "bounce"
    assert [event.what for event in show_subscriber(app, "ana@example.org").consents] == ["imported", "suppressed"]
