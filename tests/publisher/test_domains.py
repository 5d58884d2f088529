"""What DNS says of our domains: a name server on loopback answers as each test has it."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.rcode
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from name_server import NameServer, in_strings, open_name_server

from publisher.config import Config
from publisher.dns import Names
from publisher.errors import DnsError, StateError
from publisher.mail.dkim_record import find_fault, make_record
from publisher.sections import Dns
from publisher.usecases import domains

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
PUBLIC = RSA.public_key()
RECORD = make_record(PUBLIC)
S1, S2 = "s1._domainkey.harbour.example", "s2._domainkey.harbour.example"
BOUNCES = "bounces.harbour.example"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name, key in (("rsa", RSA), ("ed25519", ED25519)):
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(octets)
    return folder


@pytest.fixture
def server() -> Iterator[NameServer]:
    with open_name_server() as server:
        yield server


def configure(keys: Path | None = None, *, host: str = "127.0.0.1", **mail: str) -> Config:
    both = {"key_file": "rsa.pem", "ed25519_selector": "s2", "ed25519_key_file": "ed25519.pem"}
    dkim = {"domain": "harbour.example", "selector": "s1"} | {
        key: keys / value if key.endswith("file") else value for key, value in both.items() if keys
    }
    return Config(
        site={"name": "News", "base_url": "https://harbour.example", "postal_address": "1 Quay Street"},
        mail={"from": "News <news@harbour.example>", "bounce_domain": BOUNCES} | mail,
        smtp={"host": host},
        dkim=dkim if keys else None,
    )


def names(server: NameServer) -> Names:
    return Names(Dns(servers=(server.address,)))


Check = Callable[[Config, Names], str]


def complaint(check: Check, config: Config, server: NameServer) -> str:
    with pytest.raises(StateError) as raised:
        check(config, names(server))
    return str(raised.value)


def test_keys_that_dns_has_are_well(keys: Path, server: NameServer) -> None:
    server.records[S1, "TXT"] = [in_strings(RECORD)]
    server.records[S2, "TXT"] = [in_strings(make_record(ED25519.public_key()))]

    text = domains.check_dkim(configure(keys), names(server))

    assert text == f"{S1} has the key of the file, {S2} has the key of the file"


def test_each_key_that_dns_lacks_is_named_with_the_record_to_publish(keys: Path, server: NameServer) -> None:
    server.records[S1, "TXT"] = [in_strings(make_record(rsa.generate_private_key(65537, 2048).public_key()))]

    text = complaint(domains.check_dkim, configure(keys), server)

    assert f'{S1}: the record holds another key than the file. Publish: {S1}. TXT "{RECORD}"' in text
    assert f'{S2}: there is no record. Publish: {S2}. TXT "v=DKIM1; k=ed25519; p=' in text


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ([RECORD], None),
        ([RECORD.removeprefix("v=DKIM1; k=rsa; ")], None),
        ([RECORD.replace("; ", ";").replace("p=", "p= \t")], None),
        ([RECORD + "; h=sha1:sha256; s=email; t=s; n=note"], None),
        ([], "no record"),
        ([RECORD, RECORD], "2 records"),
        (["v=spf1 -all"], "none of DKIM"),
        (["v=DKIM1; p="], "revokes"),
        ([RECORD.replace("k=rsa", "k=ed25519")], "for a key of ed25519"),
        ([RECORD + "; h=sha1"], "forbids SHA-256"),
        ([RECORD + "; s=tlsrpt"], "forbids e-mail"),
        ([RECORD[:-8] + "AAAAAA=="], "another key"),
        ([RECORD[:-1] + "§"], "another key"),
    ],
)
def test_a_record_is_read_as_a_verifier_reads_it(records: list[str], fault: str | None) -> None:
    found = find_fault(records, PUBLIC)

    assert found is None if fault is None else fault in (found or "")


def test_a_record_in_the_other_form_of_an_rsa_key_is_well() -> None:
    octets = PUBLIC.public_bytes(Encoding.DER, PublicFormat.PKCS1)

    assert find_fault([f"p={base64.b64encode(octets).decode()}"], PUBLIC) is None


@given(st.lists(st.text(alphabet=st.sampled_from("vkphst=;: DKIM1rsaA§/+"), max_size=60), max_size=3))
def test_whatever_stands_in_dns_is_told_as_a_fault(texts: list[str]) -> None:
    assert find_fault(texts, PUBLIC)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], f'has no SPF record. Publish: {BOUNCES}. TXT "v=spf1 a:relay.harbour.example -all"'),
        (["v=spf10 -all", "hello"], "has no SPF record"),
        (["v=spf1 mx -all", "v=spf1 a -all"], "has 2 SPF records, so none counts"),
        (["v=spf1 mx +all"], "lets everybody send"),
        (["v=spf1 ALL"], "lets everybody send"),
    ],
)
def test_an_spf_record_that_is_missing_double_or_open_is_named(
    server: NameServer, values: list[str], words: str
) -> None:
    server.records[BOUNCES, "TXT"] = [in_strings(value) for value in values]

    assert words in complaint(domains.check_spf, configure(host="relay.harbour.example"), server)


def test_an_spf_record_is_shown(server: NameServer) -> None:
    server.records[BOUNCES, "TXT"] = ['"v=spf1 ip4:192.0.2.7 " "-all"', '"other"']

    assert domains.check_spf(configure(), names(server)) == f"{BOUNCES}: v=spf1 ip4:192.0.2.7 -all"


@pytest.mark.parametrize(
    ("host", "mechanism"),
    [("8.8.4.4", "ip4:8.8.4.4"), ("2606:4700::1111", "ip6:2606:4700::1111"), ("127.0.0.1", "ip4:ADDRESS-OF-THE-RELAY")],
)
def test_the_spf_record_to_publish_names_the_relay(server: NameServer, host: str, mechanism: str) -> None:
    assert f'"v=spf1 {mechanism} -all"' in complaint(domains.check_spf, configure(host=host), server)


def test_a_missing_dmarc_record_is_named_with_the_one_to_publish(server: NameServer) -> None:
    text = complaint(domains.check_dmarc, configure(), server)

    assert 'Publish: _dmarc.harbour.example. TXT "v=DMARC1; p=none"' in text


def test_the_dmarc_record_of_the_organisation_counts_for_what_is_below(keys: Path, server: NameServer) -> None:
    server.records["_dmarc.harbour.example", "TXT"] = ['"v=DMARC1; p=reject"']

    text = domains.check_dmarc(configure(keys, **{"from": "News <n@deep.news.harbour.example>"}), names(server))

    assert text == "_dmarc.harbour.example has p=reject; passed by dkim.domain and mail.bounce_domain"
    assert ("_dmarc.example", "TXT") not in server.asked


@pytest.mark.parametrize(
    ("policy", "sender", "passed"),
    [
        ("p=none", "harbour.example", "dkim.domain and mail.bounce_domain"),
        ("p=none; aspf=s", "harbour.example", "dkim.domain"),
        ("p=none; adkim=s", "news.harbour.example", "mail.bounce_domain"),
        ("p=none; adkim=s; aspf=s", "news.harbour.example", None),
        ("p=none", "other.example", None),
    ],
)
def test_alignment_is_judged_by_the_policy(
    keys: Path, server: NameServer, policy: str, sender: str, passed: str | None
) -> None:
    server.records["_dmarc.harbour.example", "TXT"] = [f'"v=DMARC1; {policy}"']
    server.records["_dmarc.other.example", "TXT"] = ['"v=DMARC1; p=none"']
    config = configure(keys, **{"from": f"News <news@{sender}>"})

    if passed:
        assert domains.check_dmarc(config, names(server)).endswith(f"passed by {passed}")
    else:
        assert f"Use {sender} as dkim.domain" in complaint(domains.check_dmarc, config, server)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("MX", ["20 b.example.", "10 A.example."], f"{BOUNCES} is taken by a.example, b.example"),
        ("A", ["192.0.2.1"], "has no MX record, its own address"),
        ("AAAA", ["2001:db8::1"], "has no MX record, its own address"),
    ],
)
def test_who_takes_bounces_is_shown(server: NameServer, kind: str, values: list[str], words: str) -> None:
    server.records[BOUNCES, kind] = values

    assert words in domains.check_mail_hosts(configure(), names(server))


@pytest.mark.parametrize(("values", "words"), [([], "takes no mail, so no bounce"), (["0 ."], "says that it takes no")])
def test_bounces_that_nobody_takes_are_named(server: NameServer, values: list[str], words: str) -> None:
    if values:
        server.records[BOUNCES, "MX"] = values

    text = complaint(domains.check_mail_hosts, configure(), server)

    assert words in text
    assert f"Publish: {BOUNCES}. MX 10 mail.harbour.example." in text


def test_a_relay_whose_name_and_address_lead_to_each_other_is_well(server: NameServer) -> None:
    server.records["relay.example", "A"] = ["8.8.4.4"]
    server.records["4.4.8.8.in-addr.arpa", "PTR"] = ["relay.example."]

    assert "lead to each other" in domains.check_pointers(configure(host="relay.example"), names(server))


@pytest.mark.parametrize("pointer", [None, "elsewhere.example."])
def test_a_relay_without_a_name_that_leads_back_is_named(server: NameServer, pointer: str | None) -> None:
    server.records["relay.example", "A"] = ["8.8.4.4"]
    server.records["elsewhere.example", "A"] = ["8.8.8.8"]
    if pointer:
        server.records["4.4.8.8.in-addr.arpa", "PTR"] = [pointer]

    text = complaint(domains.check_pointers, configure(host="relay.example"), server)

    assert "Publish: 4.4.8.8.in-addr.arpa. PTR relay.example." in text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "unknown.example"])
def test_a_relay_that_is_not_public_is_not_judged(server: NameServer, host: str) -> None:
    assert "is not public" in domains.check_pointers(configure(host=host), names(server))


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_cannot_say_is_no_empty_answer(server: NameServer, rcode: dns.rcode.Rcode) -> None:
    server.rcode = rcode

    with pytest.raises(DnsError, match=r"TXT of harbour\.example could not be looked up .*\[dns\]"):
        names(server).find_texts("harbour.example")


def test_a_server_that_is_silent_is_left_in_time(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.dns.LIFETIME_S", 0.2)
    server.is_silent = True

    with pytest.raises(DnsError, match="expired"):
        names(server).find_texts("harbour.example")


def test_values_come_without_what_steers_a_terminal(server: NameServer) -> None:
    server.records["harbour.example", "TXT"] = [r'"v=spf1 \027[31m\010x"']

    assert names(server).find_texts("harbour.example") == ["v=spf1 [31mx"]
