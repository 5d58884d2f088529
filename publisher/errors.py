"""The one tree of errors that the application raises on purpose. Each message names the thing and the remedy."""


class PublisherError(Exception):
    """Something failed that a person can mend; the text says what and how."""


class ConfigError(PublisherError):
    """Configuration, newsroom file or command line is wrong (exit 2)."""


class NotFoundError(PublisherError):
    """A named thing does not exist (exit 2, HTTP 404)."""


class StateError(PublisherError):
    """The thing exists but is not in a state that allows this (exit 2, HTTP 409)."""


class CollectError(PublisherError):
    """A source could not be read; recorded with the source, never the end of the run."""


class FetchError(CollectError):
    """A URL could not be fetched within its limits."""


class ParseError(CollectError):
    """A document was fetched but is not what its source says it is."""


class RenderError(PublisherError):
    """A template failed or its output breaks a limit; what it was for is held, not half-made."""


class TransportError(PublisherError):
    """The mail server cannot be used now; nothing was sent, everything waits."""


class AuthenticationError(TransportError):
    """The mail server refuses the account: each further try could lock it."""


class DnsError(PublisherError):
    """No name server could say; nothing is known of the name, and nothing is sent that hangs on it: it waits."""


class StoreError(PublisherError):
    """The database cannot be used now: locked, full or damaged; nothing of the transaction was kept."""


class SenderBusyError(PublisherError):
    """Another process holds the sender's lock (exit 2)."""
