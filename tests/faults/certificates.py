"""Keys for one trial: a certificate authority, certificates good and bad, and DKIM keys."""

import base64
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Signs; ``file`` is what a client has to trust."""

    folder: Path
    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def certify(self, name: str, *, now: datetime, address: str = "127.0.0.1", days: int = 30) -> Path:
        """A PEM file of key and certificate for that IP address; with negative ``days`` it has ended already."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        span = (now - timedelta(days=60), now + timedelta(days=days))
        text = _sign(_common_name(name), key, issuer=self, span=span, extension=names)
        path = self.folder / f"{name}.pem"
        path.write_bytes(_private(key) + text)
        return path


def make_authority(folder: Path, *, now: datetime) -> Authority:
    """A new authority, its certificate written into the folder."""
    folder.mkdir(exist_ok=True)
    authority = Authority(folder, _common_name("Trial CA"), ec.generate_private_key(ec.SECP256R1()))
    basic = x509.BasicConstraints(ca=True, path_length=None)
    span = (now - timedelta(days=90), now + timedelta(days=90))
    authority.file.write_bytes(_sign(authority.name, authority.key, issuer=authority, span=span, extension=basic))
    return authority


def make_signing_key(file: Path) -> str:
    """Write a DKIM key (RSA-2048) to that file; what DNS has to say of it (RFC 6376 §3.6.1)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, plain))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: Authority,
    span: tuple[datetime, datetime],
    extension: x509.ExtensionType,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
