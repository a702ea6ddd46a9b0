//! Code points of what is said of revoked certificates.

use super::codepoints;

codepoints! {
    /// Why a certificate was revoked (RFC 5280, section 5.3.1).
    CrlReason(u8);
    UNSPECIFIED = 0, "unspecified";
    KEY_COMPROMISE = 1, "keyCompromise";
    CA_COMPROMISE = 2, "cACompromise";
    AFFILIATION_CHANGED = 3, "affiliationChanged";
    SUPERSEDED = 4, "superseded";
    CESSATION_OF_OPERATION = 5, "cessationOfOperation";
    CERTIFICATE_HOLD = 6, "certificateHold";
    REMOVE_FROM_CRL = 8, "removeFromCRL";
    PRIVILEGE_WITHDRAWN = 9, "privilegeWithdrawn";
    AA_COMPROMISE = 10, "aACompromise";
}

codepoints! {
    /// Whether an OCSP responder answered (RFC 6960, section 4.2.1).
    OcspResponseStatus(u8);
    SUCCESSFUL = 0, "successful";
    MALFORMED_REQUEST = 1, "malformedRequest";
    INTERNAL_ERROR = 2, "internalError";
    TRY_LATER = 3, "tryLater";
    SIG_REQUIRED = 5, "sigRequired";
    UNAUTHORIZED = 6, "unauthorized";
}
