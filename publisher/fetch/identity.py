"""Who we are to those from whom we fetch."""

from email.utils import parseaddr
from importlib.metadata import version

from publisher.config import Config


def make_user_agent(config: Config) -> str:
    """Who we are, and where to complain."""
    contact = parseaddr(config.mail.reply_to or config.mail.sender)[1]
    return f"publisher/{version('publisher')} (+{config.site.base_url}; {contact})"
