"""A real Postfix of the test's own: STARTTLS and AUTH asked for, every address a mailbox, its log in a file."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USERNAME, PASSWORD = "publisher", "harbour-4711"
PROGRAMS = ("postfix", "postconf", "saslpasswd2")
START_TIMEOUT_S = 20

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = relay.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {folder}/tls.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = relay.example
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
proxymap  unix  -       -       n       -       -       proxymap
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/etc/sasl/users
mech_list: PLAIN LOGIN
"""


@dataclass(frozen=True)
class Relay:
    """A running Postfix: where it listens, what proves who it is, what it wrote and kept."""

    port: int
    folder: Path

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"

    @property
    def log(self) -> Path:
        return self.folder / "mail.log"

    @property
    def mails(self) -> list[Path]:
        """Every message in the mailbox, in the order of arrival."""
        return sorted((self.folder / "mail" / "all" / "new").glob("*"))


def missing_program() -> str | None:
    """Why no Postfix can be started here; None where it can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") is None]
    if missing:
        return f"needs {', '.join(missing)} (Debian: postfix, sasl2-bin)"
    return None if os.geteuid() == 0 else "only root can start a Postfix"


@contextmanager
def open_postfix() -> Iterator[Relay]:
    """A Postfix on a free port of 127.0.0.1; stopped and taken away at the end, whatever happens in between."""
    folder = Path(tempfile.mkdtemp(prefix="relay-"))
    folder.chmod(0o755)  # its processes run as other users
    relay = Relay(_free_port(), folder)
    try:
        _set_up(relay)
        _run("postfix", "-c", str(folder / "etc"), "start")
        _wait_for_port(relay.port)
        yield relay
    finally:
        subprocess.run(["/usr/sbin/postfix", "-c", folder / "etc", "abort"], capture_output=True, check=False)
        _wait_until_gone(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(relay: Relay) -> None:
    folder, user = relay.folder, pwd.getpwnam("postfix")
    for name in ("etc", "etc/sasl", "queue", "data", "mail"):
        (folder / name).mkdir()
    values = {"folder": folder, "port": relay.port, "uid": user.pw_uid, "gid": user.pw_gid}
    (folder / "etc" / "main.cf").write_text(MAIN.format(**values))
    (folder / "etc" / "master.cf").write_text(MASTER.format(**values))
    (folder / "etc" / "sasl" / "smtpd.conf").write_text(SASL.format(**values))
    for owned in (folder / "data", folder / "mail"):
        os.chown(owned, user.pw_uid, user.pw_gid)
    users = folder / "etc" / "sasl" / "users"
    _run("saslpasswd2", "-p", "-c", "-f", str(users), "-u", "relay.example", USERNAME, text=PASSWORD)
    users.chmod(0o644)  # who checks passwords there is not root
    relay.password_file.write_text(PASSWORD)
    _write_certificates(relay)


def _write_certificates(relay: Relay) -> None:
    """A certificate authority of our own, and the relay's certificate for 127.0.0.1."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Test CA", ca_key.public_key(), issuer="Test CA", signer=ca_key, is_ca=True)
    own = _certificate("relay.example", key.public_key(), issuer="Test CA", signer=ca_key, is_ca=False)
    relay.ca_file.write_bytes(ca)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (relay.folder / "tls.pem").write_bytes(private + own)


def _certificate(
    name: str, key: ec.EllipticCurvePublicKey, *, issuer: str, signer: ec.EllipticCurvePrivateKey, is_ca: bool
) -> bytes:
    now = datetime.now(UTC)
    usage = dict.fromkeys(("content_commitment", "data_encipherment", "key_agreement"), False)
    usage |= {"key_encipherment": False, "encipher_only": False, "decipher_only": False}
    usage |= {"digital_signature": not is_ca, "key_cert_sign": is_ca, "crl_sign": is_ca}
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _run(program: str, *arguments: str, text: str | None = None) -> None:
    done = subprocess.run(
        [shutil.which(program) or f"/usr/sbin/{program}", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "Postfix did not start"
            time.sleep(0.05)
        else:
            return


def _wait_until_gone(folder: Path) -> None:
    """The master's lock file names its process; its folder is taken away only after it."""
    pid_file = folder / "queue" / "pid" / "master.pid"
    pid = pid_file.read_text().strip() if pid_file.exists() else ""
    deadline = time.monotonic() + START_TIMEOUT_S
    while pid.isdigit() and Path("/proc", pid).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
