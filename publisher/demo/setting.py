"""The demo's deployment: its configuration, in memory and as a file for commands, and the set-up of its newsroom."""

from pathlib import Path

import tomlkit

from publisher.app import App, Clock, build_app
from publisher.config import Config
from publisher.demo.content import Organisation, newsroom_toml, subscribers_csv
from publisher.demo.dates import ZONE
from publisher.sections import DatabaseSection, Mail, Site, Smtp, Web
from publisher.usecases.newsroom import apply
from publisher.usecases.subscribers import import_subscribers

HOST = "127.0.0.1"

SITE_PATH = "/site"
"""Where the organisation's own web site stands."""

CONFIG_FILE = "publisher.toml"

_MAIL_DOMAIN = "vellamar.example"


def make_config(organisation: Organisation, folder: Path, *, port: int, smtp_port: int) -> Config:
    """The configuration of the demo. Variables of the environment, meant for a real deployment, do not count."""
    return Config.model_construct(
        site=Site(
            name=organisation.name,
            base_url=f"http://{HOST}:{port}",
            timezone=ZONE.key,
            postal_address=organisation.address,
        ),
        database=DatabaseSection(),
        mail=Mail.model_validate(
            {"from": f"{organisation.name} <news@{_MAIL_DOMAIN}>", "bounce_domain": f"bounces.{_MAIL_DOMAIN}"}
        ),
        smtp=Smtp(host=HOST, port=smtp_port, security="none", connections=2),
        dkim=None,
        web=Web(host=HOST, port=port),
        folder=folder,
    )


def set_up(config: Config, clock: Clock) -> App:
    """Database, secret, sources, digests and subscribers in the configuration's folder, with a file for commands."""
    app = build_app(config, clock)
    (config.folder / CONFIG_FILE).write_text(_to_toml(config), encoding="utf-8")
    apply(app, newsroom_toml(config.site.base_url + SITE_PATH), name="the demo's newsroom")
    import_subscribers(app, subscribers_csv().encode().splitlines(keepends=True), actor="demo")
    return app


def _to_toml(config: Config) -> str:
    sections = {name: getattr(config, name) for name in ("site", "database", "mail", "smtp", "web")}
    return tomlkit.dumps(
        {name: one.model_dump(mode="json", by_alias=True, exclude_none=True) for name, one in sections.items()}
    )
