"""Pure: who wants what; consent, tokens and suppression decisions; import parsing.

Nothing here reads a file, a clock, a network or a database, and nothing here knows ``publisher``.
"""
