"""A small DNS server on loopback, UDP, in a thread: it answers from records that a test can change while it runs."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class NameServer:
    """Who is asked, what it says, and what it was asked."""

    address: str
    """``127.0.0.1:PORT``, as configuration has it."""
    records: dict[tuple[str, str], list[str]]
    """Name and type to values as in a zone file."""
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    """Another than NOERROR is the answer to everything."""
    is_silent: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, packet: bytes) -> bytes | None:
        query = dns.message.from_wire(packet)
        question = query.question[0]
        key = (question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype))
        self.asked.append(key)
        if self.is_silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(self.rcode or (dns.rcode.NOERROR if self._is_known(key[0]) else dns.rcode.NXDOMAIN))
        if self.rcode == dns.rcode.NOERROR and self.records.get(key):
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", key[1], self.records[key]))
        return response.to_wire()

    def _is_known(self, name: str) -> bool:
        return any(known == name or known.endswith(f".{name}") for known, _ in self.records)


def in_strings(text: str) -> str:
    """A TXT value as a zone file has it: in quoted strings of 255 characters at most."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


@contextmanager
def open_name_server(records: dict[tuple[str, str], list[str]] | None = None) -> Iterator[NameServer]:
    """A running server with these records."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, socket = self.request
            response = names.answer(packet)
            if response is not None:
                socket.sendto(response, self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        names = NameServer(f"127.0.0.1:{server.server_address[1]}", records if records is not None else {})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield names
        finally:
            server.shutdown()
            thread.join()
