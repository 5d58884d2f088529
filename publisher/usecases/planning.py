"""Planning: one delivery for each subscriber who has something to read in an edition."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from publisher.app import App
from publisher.errors import StateError
from publisher.failpoints import passing
from publisher.store import editions as store
from publisher.store import planning
from publisher.store.editions import Edition, FrozenItem
from publisher.store.newsroom import read_digest
from publisher.usecases.editions import void_changed_approval
from subscribers.selection import criteria_masks, mask_items

NOBODY = "nobody to send to: no subscriber has anything to read in it"


def plan(app: App, edition_id: str) -> int:
    """Create the deliveries of an approved edition; planning twice adds nothing. Returns how many are new."""
    void_changed_approval(app, edition_id)
    with app.database.write() as tx:
        now = app.clock()
        edition = store.read_edition(tx, edition_id)
        _refuse_unapproved(edition)
        if edition.planned_at is not None:
            return 0
        frozen = store.read_frozen_items(tx, edition_id)
        added = _plan(tx, _describe(app, tx, edition, frozen=frozen), now=now, frozen=frozen)
        state = {"state": "planned"} if added else {"state": "done", "outcome": NOBODY, "done_at": now}
        store.change_edition(tx, edition_id, planned_at=now, **state)
        passing("plan-before-commit")
    passing("plan-after-commit")
    return added


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A variant of an edition and how many readers it has, or would have if it were planned now."""

    language: str
    mask: bytes
    readers: int

    @property
    def items(self) -> int:
        """How many items it has."""
        return int.from_bytes(self.mask).bit_count()


def foresee(app: App, edition_id: str) -> list[Foreseen]:
    """Who gets what: of a planned edition as it is planned, of another as it would be. Nothing is changed."""
    with app.database.write() as tx:
        edition = store.read_edition(tx, edition_id)
        if edition.planned_at is None:
            frozen = store.read_frozen_items(tx, edition_id)
            _plan(tx, _describe(app, tx, edition, frozen=frozen), now=app.clock(), frozen=frozen)
        found = [Foreseen(*row) for row in planning.list_readers(tx, edition_id)]
        tx.rollback()
    return found


def variant_uid(edition_id: str, language: str, mask: bytes) -> str:
    """The name of a variant's page: the same for the same items."""
    return hashlib.sha256(b"\0".join((edition_id.encode(), language.encode(), mask))).hexdigest()[:16]


def full_mask(count: int) -> bytes:
    """The mask of all of ``count`` items."""
    return ((1 << count) - 1).to_bytes((count + 7) // 8)


def _plan(tx: Connection, description: planning.Plan, *, frozen: Sequence[FrozenItem], now: datetime) -> int:
    edition = description.edition
    wanted = planning.list_wanted_criteria(tx, description.cadence)
    masks = criteria_masks([one.item for one in frozen], wanted)
    planning.set_owed_masks(tx, _owed_masks(frozen))
    planning.choose(tx, description, criteria_masks=masks, mask_size=(len(frozen) + 7) // 8)
    _leave_out_received(tx, description, frozen)
    chosen = planning.list_chosen_variants(tx)
    everything = [(language, full_mask(len(frozen))) for language in description.languages]  # for the public archive
    pages = ((language, mask, variant_uid(edition.id, language, mask)) for language, mask in {*chosen, *everything})
    planning.add_variants(tx, edition.id, sorted(pages))
    passing("plan-before-deliveries")
    added = planning.add_deliveries(tx, edition.id, now)
    planning.drop_work(tx)
    return added


def _describe(app: App, tx: Connection, edition: Edition, *, frozen: Sequence[FrozenItem]) -> planning.Plan:
    cadence = read_digest(tx, edition.digest_id).digest.cadence
    lineage = store.list_digest_ids(tx, cadence)
    earlier = [one for one in store.list_editions(tx, digest_ids=lineage) if one.window_end <= edition.window_start]
    return planning.Plan(
        edition=edition,
        cadence=cadence,
        digest_ids=lineage,
        languages=app.config.site.languages,
        covered_until=edition.window_start,
        previous_opened_at=earlier[0].opened_at if earlier else None,
        first_release=min((one.released_at for one in frozen if one.released_at >= edition.window_start), default=None),
    )


def _leave_out_received(tx: Connection, description: planning.Plan, frozen: Sequence[FrozenItem]) -> None:
    """Take out of the choices what reaches back before the window and a person has of an earlier edition already.

    Whoever adds a subscription that began long ago is owed its items, but may have got some by another subscription.
    """
    bits = {
        one.item.id: 1 << position
        for position, one in enumerate(frozen)
        if one.released_at < description.edition.window_start
    }
    if not bits:
        return
    size = (len(frozen) + 7) // 8
    shared = planning.find_shared_places(tx, description, bits)
    left: dict[int, bytes] = {}
    for person, chosen, edition_id, got in planning.list_received(tx, shared, sum(bits.values()).to_bytes(size)):
        places = shared[edition_id]
        had = sum(bits[places[place]] for place in mask_items(got) if place in places)
        left[person] = (int.from_bytes(left.get(person, chosen)) & ~had).to_bytes(size)
    planning.change_choices(tx, left)


def _owed_masks(frozen: Sequence[FrozenItem]) -> list[tuple[datetime, bytes]]:
    """Per distinct release moment, the mask of what was released from then on."""
    size = (len(frozen) + 7) // 8
    bits: dict[datetime, int] = {}
    mask = 0
    for position, one in reversed(list(enumerate(frozen))):
        mask |= 1 << position
        bits[one.released_at] = mask
    return [(moment, value.to_bytes(size)) for moment, value in bits.items()]


def _refuse_unapproved(edition: Edition) -> None:
    if edition.state == "skipped":
        raise StateError(f"{edition.id} was {edition.outcome}; there is nothing to plan")
    if edition.state == "cancelled":
        raise StateError(f"{edition.id} is cancelled; there is nothing to plan")
    if not edition.is_approved:
        raise StateError(
            f"{edition.id} is not approved. Look at it with: publisher digest preview {edition.id}; "
            f"then: publisher digest approve {edition.id}"
        )
