"""Storage: one schema and one set of statements for SQLite and PostgreSQL.

Store functions take the transaction first and never commit; use-cases open transactions with ``Database``.
"""
