"""One request over the wire: redirects followed, the answer's size and time bounded, credentials kept at home."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx

from connectors.errors import ConnectorError, SourceConfigurationError, SourceDataError
from connectors.exchange import Again, Call, NoAddresses, fault, origin, unreachable
from connectors.limits import Limits
from connectors.tls import trusted_when_needed

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5

_no_addresses = NoAddresses()


class Transfer:
    """The connections to a source. `prove` adds credentials to a request that goes to the source's own origin."""

    def __init__(
        self,
        source: str,
        base_url: httpx.URL,
        limits: Limits,
        headers: Mapping[str, str],
        prove: Callable[[httpx.Request], None],
        *,
        transport: httpx.BaseTransport | None,
        clock: Callable[[], float],
    ) -> None:
        self.source, self.headers, self._limits = source, dict(headers), limits
        self._own, self._prove, self._clock = origin(base_url), prove, clock
        logging.getLogger("httpx").addFilter(_no_addresses)
        seconds = limits.timeout.total_seconds()
        self._client = httpx.Client(
            transport=transport,
            verify=trusted_when_needed(),
            follow_redirects=False,
            timeout=httpx.Timeout(seconds, connect=min(20.0, seconds)),
            headers={"Accept": "application/json", "User-Agent": "onefold"},
            limits=httpx.Limits(max_connections=limits.parallel, max_keepalive_connections=limits.parallel),
        )

    def forget(self) -> None:
        """Drop the cookies of a session that has ended."""
        self._client.cookies.clear()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def is_own(self, url: httpx.URL) -> bool:
        """The address belongs to the source's own origin, where credentials may go."""
        return origin(url) == self._own

    def exchange(self, call: Call, *, is_plain: bool = False) -> tuple[int, httpx.Headers, httpx.URL, bytes]:
        """Send, follow redirects, read the bounded body; plain: as it is, and no redirect."""
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                request = self._plain_request(call) if is_plain else self._request(call)
                response = self._client.send(request, stream=True)
                try:
                    if response.status_code in _REDIRECTS and "location" in response.headers:
                        if is_plain:
                            raise self._fault(SourceDataError, call, "a redirect; credentials do not follow it")
                        call = self._redirected(call, response)
                        continue
                    return response.status_code, response.headers, request.url, self._body(call, response)
                finally:
                    response.close()
        except httpx.TimeoutException as error:
            raise Again(f"the source did not answer in time ({type(error).__name__})") from None
        except httpx.UnsupportedProtocol:
            raise self._fault(SourceConfigurationError, call, "the address is neither http nor https") from None
        except httpx.ConnectError as error:
            if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "SSL" in str(error):
                message = "the source's TLS certificate or protocol is not accepted"
                raise self._fault(
                    SourceConfigurationError, call, message, "Check the address and its certificate"
                ) from None
            raise Again(unreachable(error)) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Again(f"the answer was cut off ({type(error).__name__})") from None
        except httpx.InvalidURL:
            raise self._fault(SourceConfigurationError, call, "the address is not a URL") from None
        raise self._fault(SourceDataError, call, f"more than {_MAX_REDIRECTS} redirects")

    def _plain_request(self, call: Call) -> httpx.Request:
        return self._client.build_request(call.method, call.url, headers=call.headers, content=call.content)

    def _request(self, call: Call) -> httpx.Request:
        own = self.is_own(call.url)
        headers = {**self.headers, **call.headers} if own else {}
        request = self._client.build_request(call.method, call.url, headers=headers, content=call.content)
        if own:
            self._prove(request)
        return request

    def _redirected(self, call: Call, response: httpx.Response) -> Call:
        target = call.url.join(response.headers["location"])
        method, content = call.method, call.content
        if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
            method, content = "GET", None
        if not self.is_own(target) and (content is not None or method != "GET"):
            # A body may hold credentials.
            raise self._fault(SourceDataError, call, f"a redirect to another host ({target.host}) for a {call.method}")
        return replace(call, url=target, method=method, content=content)

    def _body(self, call: Call, response: httpx.Response) -> bytes:
        limit, began = self._limits.max_body, self._clock()
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                message = f"the answer is longer than {limit // 1024} KiB"
                raise self._fault(SourceDataError, call, message, "Ask for smaller pages, or raise `limits.max_body`")
            if self._clock() - began > self._limits.max_duration.total_seconds():
                raise self._fault(SourceDataError, call, f"the answer does not end ({size} bytes so far)")
        return b"".join(chunks)

    def _fault(self, kind: type[ConnectorError], call: Call, message: str, hint: str | None = None) -> ConnectorError:
        return fault(self.source, kind, call, message, hint)
