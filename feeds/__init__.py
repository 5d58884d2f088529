"""Pure: documents in → items; items → classification; items → feed bytes.

Nothing here reads a file, a clock, a network or a database, and nothing here knows ``publisher``.
"""
