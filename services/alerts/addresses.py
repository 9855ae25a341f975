"""Where messages may go: checked when a channel is saved, and again when it is sent to (pure)."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import parseaddr
from urllib.parse import urlsplit

from services.alerts.records import Channel, ChannelKind, MailSecurity
from services.errors import InvalidRequestError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked(channel: Channel, secret: str | None) -> Channel:
    """The channel with what people are told of its target.

    Args:
        secret: as it will be stored; None when what is stored stays.

    Raises:
        InvalidRequestError: it could not be sent to.
    """
    if not channel.name.strip():
        raise InvalidRequestError("Give the channel a name.")
    if channel.kind is ChannelKind.WEBHOOK:
        if secret is not None:
            return replace(channel, target=webhook_host(secret))
        if not channel.has_secret:
            raise InvalidRequestError("Give the webhook's address.")
        return channel
    _check_mail(channel, secret)
    return replace(channel, target=", ".join(channel.recipients))


def webhook_host(address: str) -> str:
    """The host of a webhook's address, which is all that is ever shown of it.

    Raises:
        InvalidRequestError: the address cannot be posted to safely. It is not quoted.
    """
    try:
        parts = urlsplit(address.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidRequestError("The webhook's address cannot be read.") from error
    if not host or re.search(r"[\s\x00-\x1f]", address.strip()):
        raise InvalidRequestError("The webhook's address cannot be read; copy the whole of it.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise InvalidRequestError(
            "A webhook's address begins with https://; http:// is for this machine only."
        )
    return host if parts.port is None else f"{host}:{parts.port}"


def _check_mail(channel: Channel, secret: str | None) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", channel.host):
        raise InvalidRequestError("Give the name of the SMTP server.")
    if not 1 <= channel.port <= 65_535:
        raise InvalidRequestError("The port of the SMTP server lies between 1 and 65535.")
    if not channel.recipients:
        raise InvalidRequestError("Give at least one address to send to.")
    for address in (channel.sender, *channel.recipients):
        if not _is_address(address):
            raise InvalidRequestError(f"“{address}” is no e-mail address.")
    if channel.security is MailSecurity.NONE and channel.host not in LOOPBACK:
        raise InvalidRequestError(
            "Without STARTTLS or TLS mail goes to this machine only; choose one of them."
        )
    if channel.username and not (secret or channel.has_secret):
        raise InvalidRequestError("Give the password of the SMTP account.")


def _is_address(text: str) -> bool:
    return parseaddr(text)[1] == text and bool(
        re.fullmatch(r"[^\s@<>,;:\"\x00-\x1f]+@[A-Za-z0-9.-]+", text)
    )
