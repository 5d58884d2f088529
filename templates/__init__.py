"""Jinja2 templates: ``email/`` (MJML layouts and text parts), ``web/`` (pages), ``feeds/``."""
