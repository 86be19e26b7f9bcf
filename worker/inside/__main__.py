"""The spawner: the first process in the sandbox. It reads nothing; for each item it forks a reader.

So the imports are paid once, and a reader that an item has taken over dies with that item.
"""

import gc
import os
import signal
import socket
import sys
from typing import NoReturn

from worker.inside.cage import lock
from worker.inside.channel import CPU_VARIABLE, ORDER_ITEM, ORDER_READY, GoneError, receive_order
from worker.inside.reader import serve


def main() -> None:
    """Serve the socket at descriptor 0 until it closes (GoneError)."""
    cpu_seconds = int(os.environ[CPU_VARIABLE])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    gc.freeze()  # what was imported is never looked at again, so readers go on sharing it
    with socket.socket(fileno=0) as orders:
        while True:
            letter, descriptor = receive_order(orders)
            if letter == ORDER_READY:
                orders.sendall(ORDER_READY)
            elif letter == ORDER_ITEM and descriptor is not None:
                if os.fork() == 0:
                    orders.close()
                    read_item(descriptor, cpu_seconds)
                os.close(descriptor)


def read_item(descriptor: int, cpu_seconds: int) -> NoReturn:
    """Be the reader of one item, and end with it, without taking the interpreter down in order."""
    try:
        channel = socket.socket(fileno=descriptor)
        lock(cpu_seconds)
        serve(channel)
    finally:
        os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except (GoneError, OSError):
        sys.exit(0)
