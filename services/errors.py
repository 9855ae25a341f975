"""What can go wrong at a port, sorted by what the operator can do about it.

    ServiceError
    ├── InvalidRequestError   change the input
    ├── NotFoundError         choose another name
    ├── ConflictError         rename, or wait for the operation in progress
    ├── AccessDeniedError     sign in, or ask for a role
    ├── UnavailableError      look again, then retry: it may or may not have acted
    └── OperationFailedError  read the log: the work started, then failed

The message is one sentence written for the operator and shown as it stands. What a
library or the operating system said stays reachable through ``__cause__``.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Base of every error that may cross a port."""


class InvalidRequestError(ServiceError):
    """The input cannot be accepted; the message says which part, and what would be."""


class NotFoundError(ServiceError):
    """The workspace holds nothing of this kind under this name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"No {kind} named “{name}” in this workspace.")
        self.kind, self.name = kind, name

    def __reduce__(self) -> tuple[type[NotFoundError], tuple[str, str]]:
        return type(self), (self.kind, self.name)


class ConflictError(ServiceError):
    """The name is taken, or an operation on this thing is still in progress."""


class AccessDeniedError(ServiceError):
    """The sign-in or the role does not allow this."""


class SignInError(AccessDeniedError):
    """The sign-in itself was not accepted: no role would help."""


class UnavailableError(ServiceError):
    """The back end did not answer, so whether it acted is unknown."""


class OperationFailedError(ServiceError):
    """Accepted work reached a failed state; ``log_tail`` says why."""

    def __init__(self, message: str, *, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail
