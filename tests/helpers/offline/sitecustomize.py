"""Put this folder on PYTHONPATH and Python reaches nothing beyond this machine.

An audit hook sees every connection and name look-up that Python code makes, whatever the library.
"""

import sys

LOCAL = ("127.", "localhost", "::1", "0.0.0.0")


def refuse(event: str, args: tuple) -> None:
    if event in ("socket.connect", "socket.sendto"):
        host = args[1][0] if isinstance(args[1], tuple) else ""  # Unix sockets have no host
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0] or ""
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not host.startswith(LOCAL):
        raise OSError(f"the network is blocked in this test (reached for {host})")


sys.addaudithook(refuse)
