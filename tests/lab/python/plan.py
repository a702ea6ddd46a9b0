"""What the Python peers share: the plan (their argument, JSON), the context it asks for, and the reports.

See ../README.md for both forms.
"""

import json
import socket
import ssl
import sys
import threading

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CLIENT_AUTH = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_printing = threading.Lock()


def server_context(plan):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _identify(context, plan["identity"])
    context.verify_mode = CLIENT_AUTH[plan["auth"]]
    if plan["auth"] != "none":
        context.load_verify_locations(plan["client_ca"])
    if plan["crl"]:
        context.load_verify_locations(plan["crl"])
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    if plan["only_name"]:
        context.sni_callback = lambda _tls, name, _context: (
            None if name == plan["only_name"] else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        )
    _offer(context, plan)
    return context


def client_context(plan):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(plan["trusted"])
    if plan["identity"]:
        _identify(context, plan["identity"])
    _offer(context, plan)
    return context


def _identify(context, identity):
    context.load_cert_chain(identity["chain"], identity["key"])


def _offer(context, plan):
    if plan["version"]:
        context.minimum_version = context.maximum_version = VERSIONS[plan["version"]]
    if plan["cipher"]:
        context.set_ciphers(plan["cipher"])
    if plan["group"]:
        context.set_ecdh_curve(plan["group"])
    if plan["alpn"]:
        context.set_alpn_protocols([plan["alpn"]])
    context.post_handshake_auth = plan["post_handshake_auth"]


def listen(plan):
    family = socket.AF_INET6 if ":" in plan["address"] else socket.AF_INET
    return socket.create_server((plan["address"], plan["port"]), family=family, backlog=512)


def report(port, tls=None, error=None, peer_certificate=None):
    """Prints what became of a connection. `tls` is an SSLSocket or SSLObject after its handshake, if it had one."""
    line = {"port": port, "completed": tls is not None}
    if tls:
        line["resumed"] = tls.session_reused
    if error:
        line["error"] = f"{type(error).__name__}: {error}"
        line["fault"] = fault(error)
    if peer_certificate is not None:
        line["peer_certificate"] = peer_certificate
    with _printing:
        print(json.dumps(line), flush=True)


def fault(error):
    if isinstance(error, ssl.SSLCertVerificationError):
        return "refused"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "closed"
    if isinstance(error, ssl.SSLError):
        # OpenSSL's names of what an alert told it.
        return "alerted" if (error.reason or "").startswith(("SSLV3_ALERT_", "TLSV1_", "TLSV13_")) else "refused"
    if isinstance(error, (TimeoutError, ConnectionAbortedError)):
        return "timed_out"
    # A connection that just ended (asyncio says so of its handshakes): only a real reset has a number.
    if isinstance(error, ConnectionResetError) and error.errno is None:
        return "closed"
    return "reset"


def received(tls, error, auth):
    """Whether a client certificate came, accepted or not; None where that is not to be known."""
    if auth == "none":
        return False
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in (getattr(error, "reason", None) or ""):
        return False
    # A resumed session has the certificate of the one before.
    if not tls or tls.session_reused:
        return None
    return tls.getpeercert(binary_form=True) is not None


def main(server, client):
    plan = json.loads(sys.argv[2])
    {"server": server, "client": client}[sys.argv[1]](plan)
