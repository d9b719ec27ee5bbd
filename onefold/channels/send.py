"""Telling: a webhook over HTTP, mail over SMTP. Addresses of webhooks and passwords never stand in an error."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from onefold.channels.message import Message
from onefold.errors import OnefoldError

TIMEOUT: Final = 10.0
"""Seconds that a channel may take to answer."""


_NO_ADDRESS: Final = "email: `notifications.smtp` of hub.yaml is no address such as smtp://user:password@host:587."


class NotTold(OnefoldError):
    """A channel did not take a message."""


class _Busy(Exception):
    """The receiver may take it in a moment."""


def post(url: str, message: Message) -> None:
    """Send a message to a webhook as JSON; three tries where another may help. Raises NotTold."""
    tries = Retrying(
        retry=retry_if_exception_type((_Busy, httpx.TransportError)),
        stop=stop_after_attempt(3),
        wait=wait_exponential(multiplier=0.5),
        reraise=True,
    )
    try:
        tries(_post, url, message)
    except _Busy as error:
        raise NotTold(f"webhook: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotTold(f"webhook: cannot be reached ({type(error).__name__}).") from None


def _post(url: str, message: Message) -> None:
    answer = httpx.post(url, json=message.as_dict(), timeout=TIMEOUT)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise _Busy(f"answered {answer.status_code} three times.")
    if not answer.is_success:
        raise NotTold(f"webhook: answered {answer.status_code}.", "Look at `notifications.webhook` of hub.yaml.")


def mail(server: str, sender: str, receivers: Sequence[str], message: Message) -> None:
    """Send a message as mail; `server` is smtp:// (with STARTTLS where it is offered) or smtps://. Raises NotTold."""
    try:
        where = urlsplit(server)
        port = where.port
    except ValueError:  # its message repeats a part of the password
        raise NotTold(f"{_NO_ADDRESS} In a password / # @ [ are written %2F %23 %40 %5B.") from None
    if where.scheme not in ("smtp", "smtps") or not where.hostname:
        raise NotTold(_NO_ADDRESS)
    try:
        with _session(where.scheme, where.hostname, port) as session:
            if where.scheme == "smtp" and session.has_extn("starttls"):
                session.starttls(context=ssl.create_default_context())
                session.ehlo()
            if where.username:
                if not _is_safe(session):
                    raise NotTold(f"email: {where.hostname} offers no TLS, and a password is not sent in the clear.")
                session.login(unquote(where.username), unquote(where.password or ""))
            session.send_message(_letter(sender, receivers, message))
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # The server's answer may quote what it was told.
        code = getattr(error, "smtp_code", None)
        raise NotTold(
            f"email: {where.hostname} did not take it ({type(error).__name__}{f' {code}' if code else ''})."
        ) from None


def _is_safe(session: smtplib.SMTP) -> bool:
    """What is said is read by nobody else: TLS, or this very machine."""
    at = session.sock
    return isinstance(at, ssl.SSLSocket) or (at is not None and ip_address(at.getpeername()[0]).is_loopback)


def _session(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    else:
        session = smtplib.SMTP(host, port or 587, timeout=TIMEOUT)
    session.ehlo()
    return session


def _letter(sender: str, receivers: Sequence[str], message: Message) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, ", ".join(receivers), message.subject
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    return letter
