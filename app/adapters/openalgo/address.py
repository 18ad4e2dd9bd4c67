"""Addresses of gateways: a scheme, a host and a port, and nothing else."""

from dataclasses import dataclass
from typing import Literal

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from app.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Address:
    """Where a gateway listens. `label` is `host:port`, for sentences."""

    host: str
    port: int
    is_secure: bool
    path: str

    @property
    def label(self) -> str:
        return f"{self.host}:{self.port}"

    @staticmethod
    def parse(url: str, field: str, scheme: Literal["http", "ws"]) -> "Address":
        """Raises InvalidInput naming `field` unless `url` is scheme://host[:port], or the same with a secure scheme.

        Only a WebSocket may have a path: a web server in front of several services tells them apart by it.
        """
        secure = f"{scheme}s"
        wanted = f"Write it as {scheme}://host:port or {secure}://host, without a user name, path or query."
        try:
            parts = parse_url(url.strip())
        except LocationParseError:
            raise InvalidInput(field, f"This is not an address. {wanted}") from None
        if parts.scheme not in {secure, scheme} or not parts.host:
            raise InvalidInput(field, f"This is not the address of a gateway. {wanted}")
        path = parts.path or "/"
        if parts.auth or parts.query or parts.fragment or (path != "/" and scheme == "http"):
            raise InvalidInput(field, f"The address has more in it than it should. {wanted}")
        is_secure = parts.scheme == secure
        return Address(parts.host, parts.port or (443 if is_secure else 80), is_secure, path)
