"""Leases with fencing tokens; a ledger whose indexes hold only what is under way.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sqlite_autoincrement=True,
    )
    # What a sender of the old release held when it was stopped: nobody knows what became of it.
    op.execute("UPDATE deliveries SET state = 'planned' WHERE state = 'claimed'")
    op.execute("UPDATE deliveries SET state = 'uncertain' WHERE state = 'sending'")
    op.drop_index("ix_deliveries_queue", table_name="deliveries")
    op.drop_column("deliveries", "fence")
    op.add_column("deliveries", sa.Column("fence", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("resends", sa.Integer(), nullable=False, server_default="0"))
    for name, columns, condition in (
        ("waiting", ["edition_id", "id"], "state = 'planned'"),
        ("deferred", ["edition_id", "next_attempt_at"], "state = 'deferred'"),
        ("uncertain", ["edition_id"], "state = 'uncertain'"),
    ):
        where = sa.text(condition)
        op.create_index(f"ix_deliveries_{name}", "deliveries", columns, sqlite_where=where, postgresql_where=where)
    held = sa.text("fence IS NOT NULL")
    op.create_index("ix_deliveries_held", "deliveries", ["fence"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    raise NotImplementedError("a newer database is not taken back; restore a backup")
