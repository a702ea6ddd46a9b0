"""uvicorn with a TLS context of one's own, for which its command line has no option."""

import os
import ssl

import uvicorn

from orders.tls import restrict

host, port = os.environ["LISTEN"].rsplit(":", 1)
uvicorn.run(
    "orders.asgi:application",
    host=host,
    port=int(port),
    ssl_certfile=os.environ["TLS_CERTIFICATE"],
    ssl_keyfile=os.environ["TLS_KEY"],
    ssl_ca_certs=os.environ["TLS_CLIENT_CA"],
    ssl_cert_reqs=ssl.CERT_REQUIRED,
    ssl_context_factory=lambda config, default: restrict(default()),
)
