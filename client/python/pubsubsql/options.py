"""How a client behaves, apart from where it connects to."""

from __future__ import annotations

from dataclasses import dataclass
from ssl import SSLContext
from typing import Callable, Optional, Union

DEFAULT_PORT = 7777


@dataclass(frozen=True)
class Options:
    """Times are in seconds."""

    user: Optional[str] = None
    """Who to authenticate as, on every connection; None for servers without users."""
    password: Optional[str] = None
    token: Optional[str] = None
    """An access token of the user, in place of the password."""
    tls: Union[bool, SSLContext] = False
    """True: the server has to prove who it is to the CAs that the system trusts. A context: as that says."""
    server_name: Optional[str] = None
    """The name that the server's certificate must have; None: the host connected to."""
    timeout: Optional[float] = 30.0
    """How long a query may take, waiting for a connection included; None: for ever."""
    connect_timeout: float = 5.0
    """How long an attempt to connect may take, TLS and authentication included."""
    heartbeat: Optional[float] = 15.0
    """The silence after which the client asks whether the server is there. When there is no answer for as long, the
    connection is given up. None: never."""
    reconnect: bool = True
    """Whether a lost connection is made anew. Subscriptions are, too; statements are never sent again."""
    resume: bool = True
    """Whether subscriptions go on after a reconnect where they were; see subscribe()."""
    first_delay: float = 0.1
    """Before the second attempt; doubles with each that fails, and is up to a half shorter by chance."""
    delay_max: float = 5.0
    queue: int = 10_000
    """How many rows of events, and events, of a subscription wait for its consumer at most."""
    pending_max: int = 100_000
    """How many statements can be under way, or wait for a connection."""
    reply_bytes_max: int = 1 << 30
    """How many bytes a reply can have, all batches together."""
    frame_bytes_max: int = 256 << 20
    """How many bytes a frame of the server can have. Protects against a peer that is no PubSubSQL server."""
    output_bytes_max: int = 160 << 20
    """How many bytes can wait to be sent."""
    on_state: Optional[Callable[[str, Optional[Exception]], None]] = None
    """Called after each change of the state, and after each failure to connect, with the error if there was one; in the
    thread of the event loop, where it must not wait."""
