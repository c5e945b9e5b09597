"""Offline: no socket but to this machine itself, in this process and in those that it starts.

Two layers. `forbid` hooks Python's own socket calls (an audit hook, which nothing can take off
again) and gives one clear line; SELFDEBUG_OFFLINE=1 makes every Python that imports selfdebug do
so. `barrier` has the kernel refuse the same to whatever runs below, compiled code and node
included. Allowed are TCP to 127.0.0.0/8 and ::1, Unix sockets, and nothing else.

    selfdebug --offline doctor
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import Any, cast

from selfdebug.types import SelfdebugError

VARIABLE = "SELFDEBUG_OFFLINE"
# What the libraries of models and data sets, and pip, read to stay at home.
QUIET = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "PIP_NO_INDEX")
# A proxy on this machine would be a way out.
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOCAL_FAMILIES = ("AF_UNIX", "AF_NETLINK", "AF_ALG")  # the kernel's own, and this machine's


class OfflineError(SelfdebugError):
    """Something wanted to reach another machine. No OSError: no library may try it again."""


def wanted() -> bool:
    """Say whether the environment asks for it; what is not plainly a no is a yes."""
    return os.environ.get(VARIABLE, "").lower() not in ("", "0", "false", "no", "off", "n", "f")


def forbid() -> None:
    """Forbid this Python, for good, to reach another machine; processes that it starts inherit it.

    Raises OfflineError later, wherever a connection, a lookup or an open port is tried.
    """
    os.environ.update(dict.fromkeys((VARIABLE, *QUIET), "1"))
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    if not getattr(sys, "_selfdebug_offline", False):  # a hook stays: one is enough
        sys._selfdebug_offline = True  # type: ignore[attr-defined]
        sys.addaudithook(_refuse)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine and can be known without asking anybody."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1, before Python 3.13
    return (mapped or address).is_loopback


def _refuse(event: str, values: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    match event:
        case "socket.connect" | "socket.sendto" | "socket.sendmsg" | "socket.bind":
            end, address = values
            if address is not None and not _is_local(end.family, address):
                what = "opening a port on" if event == "socket.bind" else "connecting to"
                raise _error(what, _shown(address))
        case "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr":
            host = _text(values[0])
            if host and not (is_loopback(host) or _is_number(host)):
                port = f":{values[1]}" if len(values) > 1 and values[1] else ""
                raise _error("connecting to", host + port)
        case _:
            return


def _is_local(family: int, address: Any) -> bool:
    if family in {getattr(socket, name, -1) for name in _LOCAL_FAMILIES}:
        return True
    if family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return is_loopback(_text(address[0]))  # Python has seen to it that this is (host, port, ...)


def _is_number(host: str) -> bool:
    """An address is not looked up anywhere; whether it may be reached, `connect` decides."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _shown(address: Any) -> str:
    if isinstance(address, tuple):
        address = cast(tuple[Any, ...], address)
        return f"{_text(address[0]) or 'every address'}:{address[1]}"
    return str(address)


def _error(what: str, whom: str) -> OfflineError:
    return OfflineError(f"--offline forbids {what} {whom}: only this machine may be reached")
