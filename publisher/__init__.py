"""Publisher: collects an organisation's news per theme, publishes feeds, mails digests."""

__version__ = "0.1.0"
