"""What neither gunicorn's nor uvicorn's command line can say of TLS: revoked certificates and the lowest version."""

import os
import ssl


def restrict(context):
    revoked = os.environ.get("TLS_CLIENT_CRL")
    if revoked:
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if os.environ.get("TLS_MIN_VERSION") == "1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
