//! rustls: its own functions, and those of AWS-LC below it.

use super::super::Need::{OneOfRole, Required};
use super::super::Role::*;
use super::super::When::{Entry, EntryAndReturn};
use super::super::{Component, Family};
use super::hook;
use crate::libraries::code::Arguments::{Any, C};
use crate::libraries::names::Name::{self, Rust, Versioned};

const AWS_LC_OPEN: Name = Versioned {
    prefix: "aws_lc_",
    suffix: "_EVP_AEAD_CTX_open",
};
const AWS_LC_SEAL: Name = Versioned {
    prefix: "aws_lc_",
    suffix: "_EVP_AEAD_CTX_seal",
};
const FATAL_ALERT: Name = Rust {
    within: "rustls::",
    function: "send_fatal_alert",
};
const CERTIFICATE_ALERT: Name = Rust {
    within: "rustls::",
    function: "send_cert_verify_error_alert",
};
/// Methods of traits, of whichever verifier the program uses.
const CLIENT_CERTIFICATE: Name = Rust {
    within: "rustls::verify::ClientCertVerifier",
    function: "verify_client_cert",
};
const SERVER_CERTIFICATE: Name = Rust {
    within: "rustls::verify::ServerCertVerifier",
    function: "verify_server_cert",
};
const RUSTLS: [Name; 5] = [
    FATAL_ALERT,
    CERTIFICATE_ALERT,
    CLIENT_CERTIFICATE,
    SERVER_CERTIFICATE,
    Rust {
        within: "rustls::",
        function: "process_new_packets",
    },
];

/// With aws-lc-rs as its cryptography: the records that AWS-LC opens and seals.
pub(super) const ON_AWS_LC: Component = Component {
    family: Family::RustlsAwsLc,
    part: "rustls on aws-lc-rs",
    marks: &[&RUSTLS, &[AWS_LC_OPEN]],
    without: &[],
    hooks: &[
        hook(
            Opened,
            AWS_LC_OPEN,
            "aws_lc_evp_aead_ctx_open",
            EntryAndReturn,
            Required,
            C(&[1, 2]),
        ),
        hook(
            Sealed,
            AWS_LC_SEAL,
            "aws_lc_evp_aead_ctx_seal",
            Entry,
            Required,
            C(&[1]),
        ),
    ],
};

/// With ring or another: what rustls itself is given and finds.
pub(super) const ON_RING: Component = Component {
    family: Family::RustlsRing,
    part: "rustls",
    marks: &[&RUSTLS],
    without: &[AWS_LC_OPEN],
    hooks: &[
        hook(
            ClientChain,
            CLIENT_CERTIFICATE,
            "rustls_verify_client_cert",
            Entry,
            OneOfRole,
            Any,
        ),
        hook(
            ServerChain,
            SERVER_CERTIFICATE,
            "rustls_verify_server_cert",
            Entry,
            OneOfRole,
            Any,
        ),
        hook(
            VerifyResult,
            CERTIFICATE_ALERT,
            "rustls_send_cert_verify_error_alert",
            Entry,
            OneOfRole,
            Any,
        ),
    ],
};
