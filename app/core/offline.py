"""True offline mode: a process that refuses every socket beyond loopback."""

import socket
import sys
from typing import Any

from app.core.settings import is_loopback

_installed = False


def refuse_remote_sockets() -> None:
    """Make every later connection or name look-up beyond loopback raise PermissionError, until the process ends."""
    global _installed  # noqa: PLW0603 - an audit hook can be added only, never taken away
    if not _installed:
        sys.addaudithook(_guard)
        _installed = True


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        sock, address = arguments[0], arguments[-1]
        local = getattr(sock, "family", None) == socket.AF_UNIX or not isinstance(address, tuple)
        if not local and not is_loopback(str(address[0])):
            raise PermissionError(f"offline: no socket to {address[0]}; leave out --offline to allow it")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
        host = host.decode() if isinstance(host, bytes) else host
        if host and not is_loopback(str(host)):
            raise PermissionError(f"offline: no look-up of {host}; leave out --offline to allow it")
