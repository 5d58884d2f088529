"""The configuration file: every fault names file, key and remedy."""

from datetime import date, time
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.config import load_config
from publisher.config_types import parse_name_server
from publisher.errors import ConfigError
from publisher.usecases.pacing import FIRST_RELAY_RATE, make_rules
from subscribers.pacing import Limits, WarmUp, Window

SHARED = Path(__file__).parents[2] / "../shared/examples/publisher.toml"
TEXT = """
[site]
name = "Harbour News"
base_url = "https://harbour.example/"
postal_address = "1 Quay Street, Portside"
[mail]
from = "Harbour News <news@harbour.example>"
bounce_domain = "Bounces.harbour.example"
[smtp]
host = "mail.harbour.example"
"""


GMAIL = '{ domain = "Gmail.com", messages_per_second = 5 }'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "publisher.toml"
    file.write_text(TEXT)
    return file


def complaint(file: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert str(file) in str(raised.value)
    return str(raised.value)


def test_a_plain_file_is_read_with_its_defaults(file: Path) -> None:
    config = load_config(file)

    assert config.site.base_url == "https://harbour.example"
    assert config.mail.bounce_domain == "bounces.harbour.example"
    assert config.mail.sender_domain == "harbour.example"
    assert (config.smtp.port, config.smtp.security, config.smtp.connections) == (25, "starttls", 10)
    assert config.folder == file.parent


def test_our_starter_loads() -> None:
    assert load_config(Path(str(files("publisher") / "data" / "starter" / "publisher.toml"))).site.languages[0] == "en"


@pytest.mark.skipif(not SHARED.exists(), reason="the shared examples are not here")
def test_the_shared_example_loads() -> None:
    assert load_config(SHARED).smtp.port == 2525


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[smtp]", "[smpt]", "smpt: unknown key. Remove it or correct its spelling"),
        ("host =", "hots =", "smtp.hots: unknown key"),
        ("[site]", 'folder = "/tmp"\n[site]', "folder: unknown key"),
        ('name = "Harbour News"', "", "site.name: is missing. Add it"),
        ('name = "Harbour News"', 'name = ""', "site.name: ''"),
        ('name = "Harbour News"', "name = 5", "site.name: 5: Input should be a valid string"),
        ("https://harbour.example/", "harbour.example", "site.base_url: 'harbour.example'"),
        ("https://harbour.example/", "ftp://harbour.example", "site.base_url"),
        ("https://harbour.example/", "https://harbour.example/?a=b", "must have no query"),
        ("https://harbour.example/", "https://", "site.base_url"),
        ("[mail]", 'timezone = "Vienna"\n[mail]', "site.timezone: 'Vienna': is not a time zone. Use a name like"),
        ("[mail]", 'languages = ["de"]\n[mail]', "site.languages.0: 'de'"),
        ("<news@harbour.example>", "", "mail.from: 'Harbour News ': is not an address. Use"),
        ('"Harbour News <news', '"Bcc: x\\r\\n <news', "mail.from"),
        ("Bounces.harbour.example", "b@harbour.example", "mail.bounce_domain"),
        ('host = "mail.harbour.example"', "port = 0", "smtp.port: 0"),
        ('host = "mail.harbour.example"', 'port = "many"', "smtp.port: 'many'"),
        ('host = "mail.harbour.example"', 'security = "ssl"', "smtp.security: 'ssl'"),
        ('host = "mail.harbour.example"', "connections = 0", "smtp.connections: 0"),
        ('host = "mail.harbour.example"', 'username = "u"', "username is given without password_file"),
        ("[mail]", "languages = []\n[mail]", "site.languages: []: Tuple should have at least 1 item"),
        ("[mail]", 'languages = ["en", "fr", "en"]\n[mail]', "en stands there twice. Remove one"),
        ("news@harbour.example", "news@har_bour.example", "'har_bour.example' is not a domain name"),
        ("news@harbour.example", "news@har bour.example", "mail.from"),
        ("news@harbour.example", "news@harbour..example", "'harbour..example' is not a domain name"),
        ("news@harbour.example", "news@[127.0.0.1]", "is not a domain name"),
        ("news@harbour.example", "новости@harbour.example", "is not ASCII before the @"),
        ("Bounces.harbour.example", "bou_nces.harbour.example", "mail.bounce_domain: 'bou_nces.harbour.example'"),
        ("Bounces.harbour.example", "", "mail.bounce_domain: ''"),
        ("Bounces.harbour.example", "bounces.example.", "with a dot at its end. Remove the dot"),
        ("Bounces.harbour.example", "a" * 64 + ".example", "is not a domain name"),
        ("[smtp]", '[pace]\nwindow = "8-20"\n[smtp]', "pace.window: '8-20': is not a window of the day. Use two times"),
        ("[smtp]", '[pace]\nwindow = "08:00-08:00"\n[smtp]', "pace.window: '08:00-08:00'"),
        ("[smtp]", "[pace]\nwarm_up = true\n[smtp]", "pace.warm_up: True"),
        ("[smtp]", "[pace.warm_up]\nfirst_day = 5\n[smtp]", "pace.warm_up.start: is missing"),
        ("[smtp]", "[pace.warm_up]\nstart = 2026-12-01\nuntil = 5\n[smtp]", "until is less than first_day"),
        ("[smtp]", "[pace.warm_up]\nstart = 2026-12-01\ngrowth = 1\n[smtp]", "pace.warm_up.growth: 1"),
        ("[smtp]", '[[pace.domains]]\ndomain = "gmail.com"\n[smtp]', "domains.0.messages_per_second: is missing"),
        ("[smtp]", f"[pace]\ndomains = [{GMAIL}, {GMAIL}]\n[smtp]", "gmail.com stands there twice. Remove one"),
        ('host = "mail.harbour.example"', 'ca_file = "publisher.toml"', "publisher.toml holds no certificates"),
        ('host = "mail.harbour.example"', 'ca_file = "nowhere.pem"', "smtp.ca_file: "),
        ("[site]", "[site", "is not TOML"),
        ("[site]", 'site = "x"\n[other]', "site"),
    ],
)
def test_a_wrong_key_is_named_with_its_file_and_a_remedy(file: Path, old: str, new: str, words: str) -> None:
    file.write_text(TEXT.replace(old, new, 1))

    assert words in complaint(file)


def test_domains_of_other_scripts_are_used_in_ascii(file: Path) -> None:
    file.write_text(TEXT.replace("Bounces.harbour", "Rück.häfen").replace("<news@harbour", "<news@Häfen"), "utf-8")

    mail = load_config(file).mail

    assert (mail.sender_domain, mail.bounce_domain) == ("xn--hfen-loa.example", "xn--rck-hoa.xn--hfen-loa.example")


def test_pace_is_read_with_its_window_plan_and_limits(file: Path) -> None:
    pace = f'[pace]\nwindow = "08:00-20:00"\nwarm_up = {{ start = 2026-12-01 }}\ndomains = [{GMAIL}]\n'
    file.write_text(TEXT + pace)

    rules = make_rules(load_config(file))

    assert rules.window == Window(time(8), time(20))
    assert rules.warm_up == WarmUp(date(2026, 12, 1), first_day=200, growth=1.5, until=100_000)
    assert rules.limits("domain:gmail.com").rate == 5
    assert rules.limits("relay:main") == Limits(None, 10, FIRST_RELAY_RATE)


def test_all_faults_are_told_at_once(file: Path) -> None:
    file.write_text(TEXT.replace("name =", "nmae =").replace("host =", "hots ="))

    assert len(complaint(file).splitlines()) == 3


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    assert "publisher init" in complaint(tmp_path / "publisher.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00"])
def test_bytes_that_are_no_text_are_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    complaint(file)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in complaint(tmp_path)


@pytest.mark.parametrize("key", ["password_file", "key_file"])
def test_a_secret_that_is_missing_is_found_at_once(file: Path, key: str) -> None:
    extra = {
        "password_file": 'username = "u"\npassword_file = "secret"\n',
        "key_file": '[dkim]\ndomain = "harbour.example"\nselector = "s1"\nkey_file = "secret"\n',
    }
    file.write_text(TEXT + extra[key])

    text = complaint(file)

    assert f"{key}: cannot read {file.parent / 'secret'}" in text
    assert "Create it" in text


def test_an_empty_secret_is_no_secret(file: Path) -> None:
    file.write_text(TEXT + 'username = "u"\npassword_file = "secret"\n')
    (file.parent / "secret").write_text("\n")

    assert "is empty. Write the secret into it" in complaint(file)


def test_a_relay_takes_from_the_section_what_it_does_not_say(file: Path) -> None:
    file.write_text(
        TEXT + 'username = "u"\npassword_file = "secret"\n[[smtp.relays]]\nname = "a"\nhost = "a.example.org"\n'
    )
    (file.parent / "secret").write_text("open sesame\n")

    (relay,) = load_config(file).smtp.pool

    assert (relay.host, relay.username, relay.password_file) == ("a.example.org", "u", file.parent / "secret")


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISHER_SMTP__HOST", "other.example")
    monkeypatch.setenv("PUBLISHER_SMTP__PORT", "2525")
    monkeypatch.setenv("PUBLISHER_SITE__LANGUAGES", '["fr"]')
    monkeypatch.setenv("PUBLISHER_FAILPOINT", "")

    config = load_config(file)

    assert (config.smtp.host, config.smtp.port, config.site.languages) == ("other.example", 2525, ("fr",))
    assert config.site.name == "Harbour News"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PUBLISHER_SMTP__PORT", "many", "smtp.port: 'many'"),
        ("PUBLISHER_SMTP__HOTS", "x", "smtp.hots: unknown key"),
        ("PUBLISHER_SITE__LANGUAGES", "en,fr", "Write lists as JSON"),
        ("PUBLISHER_SITE", "x", "the environment has PUBLISHER_SITE, which is no key"),
        ("PUBLISHER_SMPT__HOST", "x", "the environment has PUBLISHER_SMPT__HOST, which is no key. Use PUBLISHER_SECT"),
        ("PUBLISHER_SMTP_HOST", "x", "with a section of site, database, mail, smtp, pace, dkim, dns, web, or unset it"),
        ("publisher_smpt__host", "x", "publisher_smpt__host"),
        ("PUBLISHER_FOLDER", "/somewhere/else", "PUBLISHER_FOLDER"),
    ],
)
def test_a_wrong_variable_is_refused_like_a_wrong_key(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    assert words in complaint(file)


@given(content=st.text(max_size=80) | st.sampled_from([TEXT.replace("=", "=="), TEXT * 2]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_any_text_is_read_or_refused_with_words(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError):
        load_config(file)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_a_name_server_is_an_address_with_or_without_a_port(text: str, place: tuple[str, int]) -> None:
    assert parse_name_server(text) == place


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('[dns]\nservers = ["ns.example"]', "is no name server. Use an address like"),
        ('[dns]\nservers = ["127.0.0.1:0"]', "is no name server"),
        ('[dns]\nservers = ["127.0.0.1:70000"]', "is no name server"),
        ('[dkim]\ndomain = "a.example"\nselector = "s 1"\nkey_file = "k"', "dkim.selector: 's 1': is no selector"),
        ('[dkim]\ndomain = "a.example"\nselector = "s;d=x"\nkey_file = "k"', "is no selector"),
        ('[dkim]\ndomain = "a.example"\nselector = "s"\nkey_file = "k"\ned25519_selector = "t"', "go together"),
        (
            '[dkim]\ndomain = "a.example"\nselector = "s"\nkey_file = "k"\ned25519_selector = "S"\n'
            'ed25519_key_file = "l"',
            "are the same",
        ),
    ],
)
def test_a_wrong_value_of_dns_or_dkim_is_named(file: Path, section: str, words: str) -> None:
    file.write_text(TEXT + section)

    assert words in complaint(file)


def test_the_second_key_must_be_there_too(file: Path) -> None:
    (file.parent / "rsa.pem").write_text("key")
    keys = 'selector = "s"\nkey_file = "rsa.pem"\ned25519_selector = "t"\ned25519_key_file = "second.pem"\n'
    file.write_text(TEXT + '[dkim]\ndomain = "harbour.example"\n' + keys)

    assert f"dkim.ed25519_key_file: cannot read {file.parent / 'second.pem'}" in complaint(file)
