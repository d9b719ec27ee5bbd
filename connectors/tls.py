"""The certificates that TLS trusts, read when the first connection needs them: for http alone it would be time lost."""

from __future__ import annotations

import ssl
from typing import Any

import httpx


class TrustedWhenNeeded(ssl.SSLContext):
    """Stands for httpx's default context, which it makes for the first handshake and wraps connections with.

    It trusts nobody by itself: a way to a handshake that passes by the methods below would refuse every certificate.
    """

    _made: ssl.SSLContext | None = None
    _protocols: list[str] | None = None

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Kept for the context that comes."""
        self._protocols = list(alpn_protocols)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """A connection under the default context."""
        return self._real().wrap_socket(*arguments, **named)

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """A connection within another one, through a proxy."""
        return self._real().wrap_bio(*arguments, **named)

    @property
    def is_made(self) -> bool:
        """A handshake was begun."""
        return self._made is not None

    def _real(self) -> ssl.SSLContext:
        if self._made is None:
            self._made = httpx.create_ssl_context()
        if self._protocols is not None:
            self._made.set_alpn_protocols(self._protocols)
        return self._made


def trusted_when_needed() -> TrustedWhenNeeded:
    """A context of one's own for a client; certificates and host names are verified."""
    return TrustedWhenNeeded(ssl.PROTOCOL_TLS_CLIENT)
