"""authors, images, translations, withdrawals, archives and problems of feeds"""

import json

import sqlalchemy as sa
from alembic import op

revision = '0004_feed_content'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('authors', 'images', 'alternates'):
        op.add_column('items', sa.Column(name, sa.Text(), nullable=False, server_default='[]'))
    op.add_column('items', sa.Column(
        'original_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'),
        sa.ForeignKey('items.id', name=op.f('fk_items_original_id_items')), nullable=True), inline_references=True)
    op.add_column('items', sa.Column('withdrawn_at', sa.BigInteger(), nullable=True))
    op.add_column('items', sa.Column('withdrawn_reason', sa.Text(), nullable=False, server_default=''))
    _list_authors()
    op.drop_column('items', 'author')
    op.create_index(op.f('ix_items_original_id'), 'items', ['original_id'])
    op.create_index(op.f('ix_items_withdrawn_at'), 'items', ['withdrawn_at'])
    op.create_table('item_alternates',
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], name=op.f('fk_item_alternates_item_id')),
    sa.PrimaryKeyConstraint('item_id', 'key', name=op.f('pk_item_alternates'))
    )
    op.create_index(op.f('ix_item_alternates_key'), 'item_alternates', ['key'])
    op.create_table('feed_archives',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('closed_at', sa.BigInteger(), nullable=False),
    sa.Column('until_at', sa.BigInteger(), nullable=False),
    sa.Column('until_id', sa.BigInteger(), nullable=False),
    sa.Column('head', sa.Text(), nullable=False),
    sa.Column('entries', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('feed', 'number', name=op.f('pk_feed_archives'))
    )
    op.create_table('feed_problems',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('feed', name=op.f('pk_feed_problems'))
    )
    op.create_table('retired_labels',
    sa.Column('axis', sa.String(length=16), nullable=False),
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('successor', sa.String(length=64), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('axis', 'id', name=op.f('pk_retired_labels'))
    )


def _list_authors() -> None:
    """One author becomes a list, in items, in what sources say of them, and in what items said before."""
    bind = op.get_bind()
    items = sa.table('items', sa.column('id'), sa.column('author'), sa.column('authors'))
    for row in bind.execute(sa.select(items.c.id, items.c.author).where(items.c.author != '')).all():
        authors = json.dumps([row.author], ensure_ascii=False)
        bind.execute(items.update().where(items.c.id == row.id).values(authors=authors))
    sightings = sa.table('sightings', sa.column('source_id'), sa.column('entry_key'), sa.column('entry'))
    for row in bind.execute(sa.select(sightings)).all():
        key = (sightings.c.source_id == row.source_id) & (sightings.c.entry_key == row.entry_key)
        bind.execute(sightings.update().where(key).values(entry=_with_authors(row.entry)))
    versions = sa.table('item_versions', sa.column('item_id'), sa.column('version'), sa.column('content'))
    for row in bind.execute(sa.select(versions)).all():
        key = (versions.c.item_id == row.item_id) & (versions.c.version == row.version)
        bind.execute(versions.update().where(key).values(content=_with_authors(row.content)))


def _with_authors(text: str) -> str:
    value = json.loads(text)
    author = value.pop('author', '')
    value |= {'authors': [author] if author else [], 'images': [], 'alternates': []}
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(',', ':'))
