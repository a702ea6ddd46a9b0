"""Python's ssl module in worker processes that share a listening socket, one connection after the other in each.

There are WORKERS from the start, and as many more for each SIGUSR1.
"""

import json
import os
import signal
import sys

import plan as planned

WORKERS = 2


def serve(plan):
    # The master has everything ready, as servers that fork do, and its workers inherit it.
    context = planned.server_context(plan)
    listener = planned.listen(plan)
    grow = {signal.SIGUSR1}
    signal.pthread_sigmask(signal.SIG_BLOCK, grow)
    while True:
        for _ in range(WORKERS):
            if os.fork() == 0:
                work(plan, context, listener)
        signal.sigwait(grow)


def tell(**facts):
    # One write a line: the workers share the pipe.
    os.write(sys.stdout.fileno(), json.dumps({"worker": os.getpid(), **facts}).encode() + b"\n")


def work(plan, context, listener):
    tell()
    while True:
        connection, (_, port, *_) = listener.accept()
        connection.settimeout(plan["patience"])
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                if tls.recv(4096):
                    tls.sendall(plan["reply"].encode())
        except OSError:
            connection.close()
        tell(port=port)


if __name__ == "__main__":
    serve(json.loads(sys.argv[2]))
