"""The configuration file: every fault names file, key and remedy."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.config import load_config
from publisher.errors import ConfigError

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
        ("PUBLISHER_SMTP_HOST", "x", "with a section of site, database, mail, smtp, dkim, web, or unset it"),
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
