"""TLS as connectors speak it: certificates are verified, and not even read where none is needed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.tls import trusted_when_needed
from tests.support.http_source import HttpSource, records


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost by itself, and its key."""
    made, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-days", "1", "-keyout", key, "-out", made],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return made, key


@pytest.fixture
def secure(certificate: tuple[Path, Path]) -> Iterator[str]:
    """The address of a server with that certificate."""
    server = HttpSource()
    server.speak_tls(*certificate)
    server.answers["/crm"] = lambda _asked: records({"items": []})
    server.start()
    try:
        yield server.url.replace("http://127.0.0.1", "https://localhost")
    finally:
        server.stop()


def test_a_trusted_certificate_is_accepted_and_the_same_for_another_name_is_not(
    secure: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with httpx.Client(verify=trusted_when_needed(), timeout=10) as client:
        assert client.get(f"{secure}/crm").status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(f"{secure.replace('localhost', '127.0.0.1')}/crm")


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: str) -> None:
    context = trusted_when_needed()
    with (
        httpx.Client(verify=context, timeout=10) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"{secure}/crm")
    assert context.is_made


def test_plain_http_reads_no_certificates() -> None:
    server = HttpSource()
    server.answers["/crm"] = lambda _asked: records({"items": []})
    server.start()
    context = trusted_when_needed()
    try:
        with httpx.Client(verify=context, timeout=10) as client:
            assert client.get(f"{server.url}/crm").status_code == 200
    finally:
        server.stop()
    assert not context.is_made
