"""The command line: arguments in, use-cases called, results printed.

Commands import what they need themselves, so that ``--help`` answers at once.
"""
