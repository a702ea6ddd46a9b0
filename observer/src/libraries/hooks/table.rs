//! The table of what is learned where, as it was tried by hand on each library.

mod rustls;

use super::Need::{self, OneOfRole, Optional, Required};
use super::Role::{self, *};
use super::When::{self, EachReturnInstruction, Entry, EntryAndReturn, Return};
use super::{Component, Family, Hook};
use crate::libraries::code::Arguments::{self, Any, C};
use crate::libraries::names::Name::{self, Exact};

const fn hook(
    role: Role,
    name: Name,
    program: &'static str,
    when: When,
    need: Need,
    arguments: Arguments,
) -> Hook {
    Hook {
        role,
        name,
        program,
        when,
        need,
        arguments,
    }
}

/// The function that tells OpenSSL's version, and those of its relatives.
pub(in crate::libraries) const OPENSSL_VERSION: Name = Exact("OpenSSL_version_num");

/// BoringSSL and AWS-LC have most of OpenSSL's names, and this.
const CRYPTO_BUFFER: Name = Exact("CRYPTO_BUFFER_new");
const CUSTOM_VERIFY: Name = Exact("SSL_CTX_set_custom_verify");
/// AWS-LC has those of BoringSSL, and these.
const AWS_LC: [Name; 2] = [Exact("awslc_version_string"), Exact("awslc_api_version_num")];
/// The hooks of OpenSSL's libcrypto that are the same in all versions.
const VERIFICATION: Hook = hook(
    Verification,
    Exact("X509_STORE_CTX_init"),
    "openssl_x509_store_ctx_init",
    Entry,
    Required,
    C(&[1, 3]),
);
const OWN_ROLE: Hook = hook(
    OwnRole,
    Exact("X509_STORE_CTX_set_default"),
    "openssl_x509_store_ctx_set_default",
    Entry,
    Required,
    C(&[1, 2]),
);
const RESULT: Hook = hook(
    VerifyResult,
    Exact("X509_verify_cert"),
    "openssl_x509_verify_cert",
    Return,
    Required,
    C(&[]),
);
const ERROR: Hook = hook(
    VerifyError,
    Exact("X509_STORE_CTX_get_error"),
    "openssl_x509_store_ctx_get_error",
    Return,
    Required,
    C(&[]),
);

const PEER_CERTIFICATE: Hook = hook(
    PeerCertificate,
    Exact("SSL_get1_peer_certificate"),
    "openssl_peer_certificate",
    Return,
    Optional,
    C(&[]),
);
/// What a session is parsed with from OpenSSL 3.2 on, by whatever name it is asked for.
const PARSES_SESSION: Name = Exact("d2i_SSL_SESSION_ex");

/// The hook where sessions are parsed.
const fn session(name: Name) -> Hook {
    hook(
        Session,
        name,
        "openssl_d2i_ssl_session",
        Entry,
        Optional,
        C(&[2, 3]),
    )
}

/// All that is known.
pub static COMPONENTS: [Component; 12] = [
    Component {
        family: Family::OpenSsl,
        part: "libcrypto 3",
        marks: &[&[Exact("X509_verify_cert")], &[Exact("ERR_vset_error")]],
        without: &[CRYPTO_BUFFER],
        hooks: &[
            // The X509 of the certificate is `*arg1`.
            hook(
                Certificate,
                Exact("d2i_X509"),
                "openssl_d2i_x509",
                Entry,
                Required,
                C(&[1, 2, 3]),
            ),
            VERIFICATION,
            OWN_ROLE,
            RESULT,
            ERROR,
            hook(
                LibraryError,
                Exact("ERR_vset_error"),
                "openssl_err_vset_error",
                Entry,
                Required,
                C(&[1, 2]),
            ),
        ],
    },
    Component {
        family: Family::OpenSsl,
        part: "libcrypto 1.1",
        marks: &[&[Exact("X509_verify_cert")], &[Exact("ERR_put_error")]],
        without: &[CRYPTO_BUFFER, Exact("ERR_vset_error")],
        hooks: &[
            // The X509 of the certificate is what it returns.
            hook(
                Certificate,
                Exact("d2i_X509"),
                "openssl_d2i_x509",
                EntryAndReturn,
                Required,
                C(&[1, 2, 3]),
            ),
            VERIFICATION,
            OWN_ROLE,
            RESULT,
            ERROR,
            hook(
                LibraryError,
                Exact("ERR_put_error"),
                "openssl_err_put_error",
                Entry,
                Required,
                C(&[1, 3]),
            ),
        ],
    },
    Component {
        family: Family::OpenSsl,
        part: "libssl 3.2",
        marks: &[&[PEER_CERTIFICATE.name], &[PARSES_SESSION]],
        without: &[CUSTOM_VERIFY],
        hooks: &[PEER_CERTIFICATE, session(PARSES_SESSION)],
    },
    Component {
        family: Family::OpenSsl,
        part: "libssl 3",
        marks: &[&[PEER_CERTIFICATE.name]],
        without: &[CUSTOM_VERIFY, PARSES_SESSION],
        hooks: &[PEER_CERTIFICATE, session(Exact("d2i_SSL_SESSION"))],
    },
    Component {
        family: Family::OpenSsl,
        part: "libssl 1.1",
        marks: &[&[Exact("SSL_get_peer_certificate")]],
        without: &[CUSTOM_VERIFY, Exact("SSL_get1_peer_certificate")],
        hooks: &[
            hook(
                PeerCertificate,
                Exact("SSL_get_peer_certificate"),
                "openssl_peer_certificate",
                Return,
                Optional,
                C(&[]),
            ),
            session(Exact("d2i_SSL_SESSION")),
        ],
    },
    Component {
        family: Family::GnuTls,
        part: "libgnutls",
        marks: &[&[Exact("gnutls_handshake")]],
        without: &[],
        hooks: &[
            hook(
                OwnRole,
                Exact("gnutls_init"),
                "gnutls_init",
                EntryAndReturn,
                Optional,
                C(&[1, 2]),
            ),
            hook(
                HandshakeResult,
                Exact("gnutls_handshake"),
                "gnutls_handshake",
                EntryAndReturn,
                Required,
                C(&[1]),
            ),
            // Its variants lead to it.
            hook(
                VerifyResult,
                Exact("gnutls_certificate_verify_peers"),
                "gnutls_certificate_verify_peers",
                EntryAndReturn,
                Required,
                C(&[1, 4]),
            ),
            // Within a verification.
            hook(
                Certificate,
                Exact("gnutls_x509_crt_import"),
                "gnutls_x509_crt_import",
                Entry,
                Required,
                C(&[2]),
            ),
            hook(
                PeerCertificate,
                Exact("gnutls_certificate_get_peers"),
                "gnutls_certificate_get_peers",
                EntryAndReturn,
                Optional,
                C(&[1, 2]),
            ),
            hook(
                AlertSent,
                Exact("gnutls_alert_send"),
                "gnutls_alert_send",
                Entry,
                Required,
                C(&[1, 3]),
            ),
            // In most handshakes nobody asks.
            hook(
                AlertReceived,
                Exact("gnutls_alert_get"),
                "gnutls_alert_get",
                EntryAndReturn,
                Required,
                C(&[1]),
            ),
        ],
    },
    Component {
        family: Family::Go,
        part: "crypto/tls",
        marks: &[&[Exact("crypto/tls.(*Conn).handshakeContext")]],
        without: &[],
        hooks: &[
            // Tried with Go 1.19.8, 1.21.13, 1.22.10, 1.23.9, 1.24.11, 1.25.5, 1.26.6 and 1.27.3 on x86-64, TLS 1.2 and 1.3,
            // client and server: all hooks are hit in all of them, with the same arguments.
            // The linker leaves one of these two out of a program that is only a client, or only a server.
            hook(
                ClientChain,
                Exact("crypto/tls.(*Conn).processCertsFromClient"),
                "go_process_certs_from_client",
                Entry,
                Optional,
                Any,
            ),
            hook(
                ServerChain,
                Exact("crypto/tls.(*Conn).verifyServerCertificate"),
                "go_verify_server_certificate",
                Entry,
                Optional,
                Any,
            ),
            hook(
                VerifyResult,
                Exact("crypto/x509.(*Certificate).Verify"),
                "go_certificate_verify",
                EachReturnInstruction,
                Optional,
                Any,
            ),
            // Not sendAlertLocked, which each orderly end of a connection goes through too.
            hook(
                AlertSent,
                Exact("crypto/tls.(*Conn).sendAlert"),
                "go_send_alert",
                Entry,
                Required,
                Any,
            ),
            // Not handshakeContext, through which each read and write goes.
            hook(
                HandshakeResult,
                Exact("crypto/tls.(*Conn).clientHandshake"),
                "go_client_handshake",
                EachReturnInstruction,
                OneOfRole,
                Any,
            ),
            hook(
                HandshakeResult,
                Exact("crypto/tls.(*Conn).serverHandshake"),
                "go_server_handshake",
                EachReturnInstruction,
                OneOfRole,
                Any,
            ),
        ],
    },
    rustls::ON_AWS_LC,
    rustls::ON_RING,
    Component {
        family: Family::BoringSsl,
        part: "libcrypto",
        marks: &[&[CRYPTO_BUFFER]],
        without: &AWS_LC,
        hooks: &[
            // The X509 of the certificate is `*arg1`.
            hook(
                Certificate,
                Exact("ASN1_item_d2i"),
                "boringssl_asn1_item_d2i",
                Entry,
                Required,
                C(&[1, 2, 3]),
            ),
            hook(
                Verification,
                Exact("X509_STORE_CTX_init"),
                "boringssl_x509_store_ctx_init",
                Entry,
                Required,
                C(&[1, 3]),
            ),
            hook(
                OwnRole,
                Exact("X509_STORE_CTX_set_default"),
                "boringssl_x509_store_ctx_set_default",
                Entry,
                Required,
                C(&[1, 2]),
            ),
            hook(
                VerifyResult,
                Exact("X509_verify_cert"),
                "boringssl_x509_verify_cert",
                Return,
                Required,
                C(&[]),
            ),
            hook(
                VerifyError,
                Exact("X509_STORE_CTX_get_error"),
                "boringssl_x509_store_ctx_get_error",
                Return,
                Required,
                C(&[]),
            ),
            hook(
                LibraryError,
                Exact("ERR_put_error"),
                "boringssl_err_put_error",
                Entry,
                Required,
                C(&[1, 3]),
            ),
        ],
    },
    Component {
        family: Family::BoringSsl,
        part: "libssl",
        marks: &[&[CUSTOM_VERIFY]],
        without: &AWS_LC,
        hooks: &[hook(
            PeerCertificate,
            Exact("SSL_get_peer_certificate"),
            "boringssl_peer_certificate",
            Return,
            Optional,
            C(&[]),
        )],
    },
    Component {
        family: Family::AwsLc,
        part: "libcrypto",
        marks: &[&AWS_LC],
        without: &[],
        hooks: &[],
    },
];
