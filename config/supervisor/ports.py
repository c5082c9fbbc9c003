"""The port to serve on."""

import contextlib
import socket

FIRST_PORT = 8000
PORTS_TO_TRY = 20


class PortTaken(Exception):
    """Told to the user as it is."""


def choose_port(host: str, wanted: str | None) -> int:
    """The port of PORT, which must be free; without one the first free port from 8000 on. Raises PortTaken."""
    if wanted:
        if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
            raise PortTaken(f"PORT={wanted} is not a port number.")
        if not is_free(host, int(wanted)):
            raise PortTaken(f"Port {wanted} on {host} is taken: end what listens there, or set PORT to another.")
        return int(wanted)
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TO_TRY):
        if is_free(host, port):
            return port
    raise PortTaken(f"Ports {FIRST_PORT} to {port} on {host} are all taken: set PORT.")


def is_free(host: str, port: int) -> bool:
    with contextlib.closing(socket.socket(_family(host))) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT are no obstacle
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(host: str, port: int) -> bool:
    with contextlib.closing(socket.socket(_family(host))) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
