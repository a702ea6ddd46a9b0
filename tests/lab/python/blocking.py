"""Python's ssl module over blocking sockets, a thread for each connection."""

import socket
import ssl
import threading
import time

import plan as planned


def server(plan):
    context = planned.server_context(plan)
    listener = planned.listen(plan)
    while True:
        connection, (_, port, *_) = listener.accept()
        threading.Thread(target=serve, args=(plan, context, connection, port), daemon=True).start()


def serve(plan, context, connection, port):
    connection.settimeout(plan["patience"])
    tls = error = None
    try:
        tls = context.wrap_socket(connection, server_side=True)
        provide(plan, tls)
    except OSError as caught:
        error = caught
    planned.report(port, tls, error, planned.received(tls, error, plan["auth"]))
    close(tls or connection)


def provide(plan, tls):
    if plan["service"] == "closes":
        return
    reply = plan["reply"].encode()
    if plan["service"] == "speaks_first":
        tls.sendall(reply)
    if not tls.recv(4096):
        return
    if plan["post_handshake_auth"]:
        tls.verify_client_post_handshake()
    tls.sendall(reply)
    while tls.recv(4096):
        pass


def client(plan):
    context = planned.client_context(plan)
    session = None
    for _ in range(plan["count"]):
        session = call(plan, context, session if plan["resume"] else None)


def call(plan, context, session):
    """One connection. Gives a session to resume."""
    connection = socket.create_connection((plan["address"], plan["port"]), plan["patience"])
    port = connection.getsockname()[1]
    tls = error = None
    try:
        tls = context.wrap_socket(connection, server_hostname=plan["server_name"], session=session)
        behave(plan, tls)
        session = tls.session
    except OSError as caught:
        error = caught
    planned.report(port, tls, error)
    close(tls or connection)
    return session


def behave(plan, tls):
    if plan["behaviour"] == "requests":
        tls.sendall(plan["request"].encode())
        if not tls.recv(4096):
            raise ConnectionResetError("closed without an answer")
    elif plan["behaviour"] == "idles":
        time.sleep(plan["idle_seconds"])


def close(connection):
    """Sends close_notify, where TLS is established, and does not wait for the other side's."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        try:
            connection.unwrap()
        except OSError:
            pass
    connection.close()


if __name__ == "__main__":
    planned.main(server, client)
