"""One message to one channel: a webhook over HTTPS, or SMTP. Certificates are verified.

What the libraries say of a failure may quote the address, which is a secret: only our own
sentences leave this module.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from services.alerts import addresses, messages
from services.alerts.messages import Message
from services.alerts.records import Channel, ChannelKind, MailSecurity
from services.errors import InvalidRequestError

CONNECT_S, ANSWER_S = 5.0, 10.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class SendError(Exception):
    """The message was not taken. Its text is one sentence without any secret."""

    def __init__(self, reason: str, final: bool) -> None:
        """
        Args:
            final: trying again will not help.
        """
        super().__init__(reason)
        self.final = final


def send(channel: Channel, message: Message, *, secret: str) -> None:
    """Deliver it, or say why not.

    Args:
        secret: the webhook's address, or the password of the SMTP account.

    Raises:
        SendError: it was not taken.
    """
    if channel.kind is ChannelKind.WEBHOOK:
        _post(channel, message, secret)
    else:
        _mail(channel, message, secret)


def _post(channel: Channel, message: Message, address: str) -> None:
    import requests  # not needed before the first message

    if not address:
        raise SendError("The webhook's address is gone; set it again.", True)
    try:
        addresses.webhook_host(address)
    except InvalidRequestError as error:
        raise SendError(str(error), True) from None
    try:
        with requests.Session() as session:
            session.trust_env = urlsplit(address).hostname not in addresses.LOOPBACK
            answer = session.post(
                address,
                json=messages.webhook_body(message, channel.format),
                headers={"Idempotency-Key": message.id, "User-Agent": "azureml-dashboard"},
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,  # the message goes where it was meant to go
                stream=True,  # the body is of no interest, however long it is
            )
            status = answer.status_code
            answer.close()
    except requests.exceptions.SSLError:
        raise SendError(f"The certificate of {channel.target} was not accepted.", False) from None
    except requests.Timeout:
        raise SendError(f"{channel.target} did not answer in time.", False) from None
    except requests.RequestException as error:
        raise SendError(
            f"{channel.target} cannot be reached ({type(error).__name__}).", False
        ) from None
    if not 200 <= status < 300:
        raise SendError(f"{channel.target} answered {status}.", status not in AGAIN)


def _mail(channel: Channel, message: Message, password: str) -> None:
    mail = messages.email(message, sender=channel.sender, recipients=channel.recipients)
    where = f"{channel.host}:{channel.port}"
    try:
        with _connected(channel) as server:
            if channel.username:
                server.login(channel.username, password)
            refused = server.send_message(mail)
    except smtplib.SMTPAuthenticationError:
        raise SendError(f"{where} did not accept the account or its password.", True) from None
    except smtplib.SMTPNotSupportedError:
        wanted = "" if channel.security is MailSecurity.NONE else f" {channel.security} or"
        raise SendError(f"{where} does not offer{wanted} a login.", True) from None
    except smtplib.SMTPRecipientsRefused:
        raise SendError(f"{where} refused every recipient.", True) from None
    except smtplib.SMTPResponseException as error:
        raise SendError(f"{where} answered {error.smtp_code}.", error.smtp_code >= 500) from None
    except ssl.SSLError:
        raise SendError(f"The certificate of {where} was not accepted.", False) from None
    except (OSError, smtplib.SMTPException) as error:
        raise SendError(f"{where} cannot be reached ({type(error).__name__}).", False) from None
    if refused:
        raise SendError(f"{where} refused {', '.join(sorted(refused))}.", True)


@contextlib.contextmanager
def _connected(channel: Channel) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if channel.security is MailSecurity.TLS:
        with smtplib.SMTP_SSL(
            channel.host, channel.port, timeout=ANSWER_S, context=context
        ) as server:
            yield server
        return
    with smtplib.SMTP(channel.host, channel.port, timeout=ANSWER_S) as server:
        if channel.security is MailSecurity.STARTTLS:
            server.starttls(context=context)
        yield server
