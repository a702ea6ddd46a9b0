"""Python's ssl module under asyncio, as its web servers and clients use it."""

import asyncio
import socket

import plan as planned


def server(plan):
    asyncio.run(accept(plan))


def client(plan):
    asyncio.run(call_all(plan))


async def accept(plan):
    context = planned.server_context(plan)
    listener = planned.listen(plan)
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    running = set()
    while True:
        connection, (_, port, *_) = await loop.sock_accept(listener)
        task = asyncio.create_task(serve(plan, context, connection, port))
        running.add(task)
        task.add_done_callback(running.discard)


async def serve(plan, context, connection, port):
    # What asyncio.start_server does for each connection, but that one tells no one of a handshake that failed.
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader, lambda _reader, _writer: None)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connection, ssl=context, ssl_handshake_timeout=plan["patience"]
        )
    except OSError as error:
        planned.report(port, None, error, planned.received(None, error, plan["auth"]))
        return
    tls = transport.get_extra_info("ssl_object")
    certificate = planned.received(tls, None, plan["auth"])
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    error = None
    try:
        async with asyncio.timeout(plan["patience"]):
            await provide(plan, reader, writer)
    except OSError as caught:
        error = caught
    planned.report(port, tls, error, certificate)
    writer.close()


async def provide(plan, reader, writer):
    if plan["service"] == "closes":
        return
    reply = plan["reply"].encode()
    if plan["service"] == "speaks_first":
        writer.write(reply)
    if not await reader.read(4096):
        return
    writer.write(reply)
    while await reader.read(4096):
        pass


async def call_all(plan):
    context = planned.client_context(plan)
    for _ in range(plan["count"]):
        await call(plan, context)


async def call(plan, context):
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_INET6 if ":" in plan["address"] else socket.AF_INET)
    connection.setblocking(False)
    await loop.sock_connect(connection, (plan["address"], plan["port"]))
    port = connection.getsockname()[1]
    try:
        reader, writer = await asyncio.open_connection(
            sock=connection,
            ssl=context,
            server_hostname=plan["server_name"],
            ssl_handshake_timeout=plan["patience"],
        )
    except OSError as error:
        planned.report(port, None, error)
        return
    tls = writer.get_extra_info("ssl_object")
    error = None
    try:
        async with asyncio.timeout(plan["patience"]):
            await behave(plan, reader, writer)
    except OSError as caught:
        error = caught
    planned.report(port, tls, error)
    writer.close()


async def behave(plan, reader, writer):
    if plan["behaviour"] == "requests":
        writer.write(plan["request"].encode())
        if not await reader.read(4096):
            raise ConnectionResetError("closed without an answer")
    elif plan["behaviour"] == "idles":
        await asyncio.sleep(plan["idle_seconds"])


if __name__ == "__main__":
    planned.main(server, client)
