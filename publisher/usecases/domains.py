"""What DNS says of our domains, held against what receivers ask of bulk mail: DKIM, SPF, DMARC, MX, PTR.

Each check returns in words what is well. StateError says what is wrong and what to publish, DnsError that none knows.
"""

import re
from ipaddress import ip_address

from publisher.config import Config
from publisher.dns import Names, reverse_name
from publisher.errors import StateError
from publisher.mail.dkim import Signer, load_signer
from publisher.mail.dkim_record import find_fault, make_record

DMARC_LABELS = 8
"""The longest name that a tree walk goes on with (RFC 9989)."""


def check_dkim(config: Config, names: Names) -> str:
    """Each key of ours is the one that DNS has."""
    if config.dkim is None:
        return "the relay signs, with a key of its own"
    signer = load_signer(config.dkim)
    check_dkim_records(signer, names)
    return ", ".join(f"{one.place} has the key of the file" for one in signer.identities)


def check_dkim_records(signer: Signer, names: Names) -> None:
    """StateError where DNS does not have the keys of this signer, with the records to publish."""
    faults = []
    for one in signer.identities:
        key = one.key.public_key()
        fault = find_fault(names.find_texts(one.place), key)
        if fault is not None:
            faults.append(f"{one.place}: {fault}. {_publish(one.place, 'TXT', make_record(key))}")
    if faults:
        raise StateError("; ".join(faults))


def check_spf(config: Config, names: Names) -> str:
    """The domain of envelope senders has one SPF record (RFC 7208) that does not let everybody send."""
    domain = config.mail.bounce_domain
    found = [text for text in names.find_texts(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
    remedy = _publish(domain, "TXT", f"v=spf1 {_spf_mechanism(config.smtp.host)} -all")
    if not found:
        raise StateError(f"{domain} has no SPF record. {remedy}")
    if len(found) > 1:
        raise StateError(f"{domain} has {len(found)} SPF records, so none counts. Keep one. {remedy}")
    if re.search(r"(?:^| )\+?all(?: |$)", found[0], re.IGNORECASE):
        raise StateError(f"{domain} lets everybody send: {found[0]}. {remedy}")
    return f"{domain}: {found[0]}"


def check_dmarc(config: Config, names: Names) -> str:
    """The domain of From has a DMARC record, and what we sign with or send from is aligned with it (RFC 9989)."""
    domain = config.mail.sender_domain
    found = _walk_for_dmarc(domain, names)
    if not found:
        raise StateError(f"{domain} has no DMARC record. {_publish(f'_dmarc.{domain}', 'TXT', 'v=DMARC1; p=none')}")
    place, tags = found[0]
    aligned = _find_aligned(config, tags, organisation=found[-1][0])
    if not aligned and config.dkim:
        raise StateError(
            f"neither dkim.domain nor mail.bounce_domain is aligned with {domain} of mail.from, so every message "
            f"fails DMARC. Use {domain} as dkim.domain"
        )
    proof = " and ".join(aligned) or f"the relay's signature, if it signs as {domain}"
    return f"_dmarc.{place} has p={tags.get('p', 'none')}; passed by {proof}"


def check_mail_hosts(config: Config, names: Names) -> str:
    """Bounces can come back: their domain has an MX record, or at least an address (RFC 5321 §5.1)."""
    domain = config.mail.bounce_domain
    hosts = names.find_mail_hosts(domain)
    remedy = _publish(domain, "MX", f"10 mail.{config.mail.sender_domain}.")
    if hosts == [""]:
        raise StateError(f"{domain} says that it takes no mail. {remedy}, or the host that takes its mail")
    if hosts:
        return f"{domain} is taken by {', '.join(hosts)}"
    if names.find_addresses(domain):
        return f"{domain} has no MX record, its own address takes its mail"
    raise StateError(f"{domain} takes no mail, so no bounce comes back. {remedy}, or the host that takes its mail")


def check_pointers(config: Config, names: Names) -> str:
    """Each public address of the relay has a name that leads back to it; from which a local relay sends is unknown."""
    host = config.smtp.host
    addresses = _relay_addresses(host, names)
    public = [one for one in addresses if ip_address(one).is_global]
    if not public:
        return f"{host} is not public; the address it sends from needs a PTR record whose name leads back to it"
    faults = [_publish(reverse_name(one), "PTR", f"{host}.") for one in public if not _leads_back(one, names)]
    if faults:
        raise StateError(f"{host}: no PTR record leads back to it. {'; '.join(faults)} (the network's owner can)")
    return f"{host} and {', '.join(public)} lead to each other"


def _relay_addresses(host: str, names: Names) -> list[str]:
    if host == "localhost":
        return []
    try:
        return [str(ip_address(host))]
    except ValueError:
        return names.find_addresses(host)


def _leads_back(address: str, names: Names) -> bool:
    return any(address in names.find_addresses(name) for name in names.find_pointers(address))


def _spf_mechanism(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return "ip4:ADDRESS-OF-THE-RELAY" if host == "localhost" else f"a:{host}"
    return f"ip{address.version}:{address if address.is_global else 'ADDRESS-OF-THE-RELAY'}"


def _walk_for_dmarc(domain: str, names: Names) -> list[tuple[str, dict[str, str]]]:
    """Every DMARC record from the domain upwards, with its domain; the last is that of the organisation."""
    labels = domain.split(".")
    above = [labels[at:] for at in range(max(1, len(labels) - DMARC_LABELS + 1), len(labels) - 1)]
    found = []
    for place in (".".join(part) for part in [labels, *above]):
        texts = [text for text in names.find_texts(f"_dmarc.{place}") if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if len(texts) == 1:
            pairs = (tag.partition("=") for tag in texts[0].split(";"))
            found.append((place, {name.strip().lower(): value.strip().lower() for name, _, value in pairs}))
    return found


def _find_aligned(config: Config, tags: dict[str, str], *, organisation: str) -> list[str]:
    """The keys of configuration whose domain counts as that of From: the same, or related where that is enough."""
    used = [("mail.bounce_domain", config.mail.bounce_domain, "aspf")]
    if config.dkim:
        used.insert(0, ("dkim.domain", config.dkim.domain, "adkim"))
    return [
        key
        for key, name, mode in used
        if name == config.mail.sender_domain or (tags.get(mode) != "s" and f".{name}".endswith(f".{organisation}"))
    ]


def _publish(name: str, kind: str, value: str) -> str:
    return f"Publish: {name}. {kind} " + (f'"{value}"' if kind == "TXT" else value)
