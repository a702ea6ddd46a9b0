//! Code points of the record layer, the handshake header and alerts.

use super::codepoints;

codepoints! {
    /// A protocol version as it stands on the wire.
    ProtocolVersion(u16);
    SSL2 = 0x0002, "SSL 2.0";
    SSL3 = 0x0300, "SSL 3.0";
    TLS10 = 0x0301, "TLS 1.0";
    TLS11 = 0x0302, "TLS 1.1";
    TLS12 = 0x0303, "TLS 1.2";
    TLS13 = 0x0304, "TLS 1.3";
    TLCP11 = 0x0101, "TLCP 1.1";
    TLS13_EXPERIMENT1 = 0x7e01, "TLS 1.3 experiment 1";
    TLS13_EXPERIMENT2 = 0x7e02, "TLS 1.3 experiment 2";
    TLS13_EXPERIMENT3 = 0x7e03, "TLS 1.3 experiment 3";
    TLS13_DRAFT14 = 0x7f0e, "TLS 1.3 draft 14";
    TLS13_DRAFT15 = 0x7f0f, "TLS 1.3 draft 15";
    TLS13_DRAFT16 = 0x7f10, "TLS 1.3 draft 16";
    TLS13_DRAFT17 = 0x7f11, "TLS 1.3 draft 17";
    TLS13_DRAFT18 = 0x7f12, "TLS 1.3 draft 18";
    TLS13_DRAFT19 = 0x7f13, "TLS 1.3 draft 19";
    TLS13_DRAFT20 = 0x7f14, "TLS 1.3 draft 20";
    TLS13_DRAFT21 = 0x7f15, "TLS 1.3 draft 21";
    TLS13_DRAFT22 = 0x7f16, "TLS 1.3 draft 22";
    TLS13_DRAFT23 = 0x7f17, "TLS 1.3 draft 23";
    TLS13_DRAFT24 = 0x7f18, "TLS 1.3 draft 24";
    TLS13_DRAFT25 = 0x7f19, "TLS 1.3 draft 25";
    TLS13_DRAFT26 = 0x7f1a, "TLS 1.3 draft 26";
    TLS13_DRAFT27 = 0x7f1b, "TLS 1.3 draft 27";
    TLS13_DRAFT28 = 0x7f1c, "TLS 1.3 draft 28";
    TLS13_DRAFT23_FB = 0xfb17, "TLS 1.3 draft 23 (fb)";
    TLS13_DRAFT26_FB = 0xfb1a, "TLS 1.3 draft 26 (fb)";
    DTLS10 = 0xfeff, "DTLS 1.0";
    DTLS12 = 0xfefd, "DTLS 1.2";
    DTLS13 = 0xfefc, "DTLS 1.3";
    DTLS10_OPENSSL = 0x0100, "DTLS 1.0 (OpenSSL pre 0.9.8f)";
}

impl ProtocolVersion {
    /// Whether this is one of the numbers of TLS 1.3's drafts: 0x7f00 and the draft's number, or one of those that
    /// deployed experiments used.
    pub const fn is_tls13_draft(self) -> bool {
        matches!(self.0, 0x7e01..=0x7e03 | 0x7f00..=0x7fff | 0xfb17 | 0xfb1a)
    }

    /// Whether this is TLS 1.3 or DTLS 1.3, or a draft of TLS 1.3.
    pub const fn is_tls13(self) -> bool {
        matches!(self, Self::TLS13 | Self::DTLS13) || self.is_tls13_draft()
    }

    /// Whether messages name signature algorithms: since TLS 1.2 and DTLS 1.2.
    pub const fn has_signature_algorithms(self) -> bool {
        matches!(self, Self::TLS12 | Self::DTLS12) || self.is_tls13()
    }

    /// Whether a hello may begin with this: a version of SSL or TLS known or to come, of DTLS or of TLCP.
    pub const fn is_plausible(self) -> bool {
        self.0 >> 8 == 3 || self.is_tls13_draft() || self.is_dtls() || matches!(self, Self::TLCP11)
    }

    /// Whether this is a version of DTLS.
    pub const fn is_dtls(self) -> bool {
        matches!(
            self,
            Self::DTLS10 | Self::DTLS12 | Self::DTLS13 | Self::DTLS10_OPENSSL
        )
    }

    /// The number alone, as ECS `tls.version` has it: "1.3", "1.2", …; "3.0" for SSL 3.0. Drafts of TLS 1.3 count as 1.3.
    pub const fn label(self) -> Option<&'static str> {
        Some(match self {
            Self::SSL2 => "2.0",
            Self::SSL3 => "3.0",
            Self::TLS10 | Self::DTLS10 | Self::DTLS10_OPENSSL => "1.0",
            Self::TLS11 => "1.1",
            Self::TLS12 | Self::DTLS12 => "1.2",
            _ if self.is_tls13() => "1.3",
            _ => return None,
        })
    }

    /// The protocol's name as ECS `tls.version_protocol` has it: "tls", "ssl" or "dtls".
    pub const fn protocol(self) -> &'static str {
        match self {
            Self::SSL2 | Self::SSL3 => "ssl",
            _ if self.is_dtls() => "dtls",
            _ => "tls",
        }
    }
}

codepoints! {
    /// What a record carries (RFC 8446, section 5.1).
    ContentType(u8);
    CHANGE_CIPHER_SPEC = 20, "change_cipher_spec";
    ALERT = 21, "alert";
    HANDSHAKE = 22, "handshake";
    APPLICATION_DATA = 23, "application_data";
    HEARTBEAT = 24, "heartbeat";
    TLS12_CID = 25, "tls12_cid";
    ACK = 26, "ACK";
}

codepoints! {
    /// What a handshake message is (RFC 8446, section 4; RFC 5246, section 7.4).
    HandshakeType(u8);
    HELLO_REQUEST = 0, "hello_request";
    CLIENT_HELLO = 1, "client_hello";
    SERVER_HELLO = 2, "server_hello";
    HELLO_VERIFY_REQUEST = 3, "hello_verify_request";
    NEW_SESSION_TICKET = 4, "new_session_ticket";
    END_OF_EARLY_DATA = 5, "end_of_early_data";
    HELLO_RETRY_REQUEST = 6, "hello_retry_request";
    ENCRYPTED_EXTENSIONS = 8, "encrypted_extensions";
    REQUEST_CONNECTION_ID = 9, "request_connection_id";
    NEW_CONNECTION_ID = 10, "new_connection_id";
    CERTIFICATE = 11, "certificate";
    SERVER_KEY_EXCHANGE = 12, "server_key_exchange";
    CERTIFICATE_REQUEST = 13, "certificate_request";
    SERVER_HELLO_DONE = 14, "server_hello_done";
    CERTIFICATE_VERIFY = 15, "certificate_verify";
    CLIENT_KEY_EXCHANGE = 16, "client_key_exchange";
    CLIENT_CERTIFICATE_REQUEST = 17, "client_certificate_request";
    FINISHED = 20, "finished";
    CERTIFICATE_URL = 21, "certificate_url";
    CERTIFICATE_STATUS = 22, "certificate_status";
    SUPPLEMENTAL_DATA = 23, "supplemental_data";
    KEY_UPDATE = 24, "key_update";
    COMPRESSED_CERTIFICATE = 25, "compressed_certificate";
    EKT_KEY = 26, "ekt_key";
    NEXT_PROTOCOL = 67, "next_protocol";
    CHANNEL_ID = 203, "channel_id";
    MESSAGE_HASH = 254, "message_hash";
}

codepoints! {
    /// Severity of an alert (RFC 8446, section 6).
    AlertLevel(u8);
    WARNING = 1, "warning";
    FATAL = 2, "fatal";
}

codepoints! {
    /// What an alert objects to (RFC 8446, section 6.2).
    AlertDescription(u8);
    CLOSE_NOTIFY = 0, "close_notify";
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    BAD_RECORD_MAC = 20, "bad_record_mac";
    DECRYPTION_FAILED = 21, "decryption_failed";
    RECORD_OVERFLOW = 22, "record_overflow";
    DECOMPRESSION_FAILURE = 30, "decompression_failure";
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    NO_CERTIFICATE = 41, "no_certificate";
    BAD_CERTIFICATE = 42, "bad_certificate";
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate";
    CERTIFICATE_REVOKED = 44, "certificate_revoked";
    CERTIFICATE_EXPIRED = 45, "certificate_expired";
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown";
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    UNKNOWN_CA = 48, "unknown_ca";
    ACCESS_DENIED = 49, "access_denied";
    DECODE_ERROR = 50, "decode_error";
    DECRYPT_ERROR = 51, "decrypt_error";
    TOO_MANY_CIDS_REQUESTED = 52, "too_many_cids_requested";
    EXPORT_RESTRICTION = 60, "export_restriction";
    PROTOCOL_VERSION = 70, "protocol_version";
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    INTERNAL_ERROR = 80, "internal_error";
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback";
    USER_CANCELED = 90, "user_canceled";
    NO_RENEGOTIATION = 100, "no_renegotiation";
    MISSING_EXTENSION = 109, "missing_extension";
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension";
    CERTIFICATE_UNOBTAINABLE = 111, "certificate_unobtainable";
    UNRECOGNIZED_NAME = 112, "unrecognized_name";
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response";
    BAD_CERTIFICATE_HASH_VALUE = 114, "bad_certificate_hash_value";
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity";
    CERTIFICATE_REQUIRED = 116, "certificate_required";
    GENERAL_ERROR = 117, "general_error";
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol";
    ECH_REQUIRED = 121, "ech_required";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_labels_of_ecs() {
        assert_eq!(ProtocolVersion(0x0304).label(), Some("1.3"));
        assert_eq!(ProtocolVersion(0x7f1c).label(), Some("1.3"));
        assert_eq!(ProtocolVersion(0x0303).protocol(), "tls");
        assert_eq!(ProtocolVersion(0x0300).label(), Some("3.0"));
        assert_eq!(ProtocolVersion(0x0300).protocol(), "ssl");
        assert_eq!(ProtocolVersion(0x0505).label(), None);
        assert_eq!(ProtocolVersion(0x0303).to_string(), "TLS 1.2");
        assert_eq!(ProtocolVersion(0x7f17).to_string(), "TLS 1.3 draft 23");
        assert_eq!(ProtocolVersion(0xfefd).label(), Some("1.2"));
        assert_eq!(ProtocolVersion(0xfefd).protocol(), "dtls");
    }

    #[test]
    fn signature_algorithms_are_named_since_1_2() {
        let with = [0x0303, 0x0304, 0x7f1c, 0xfefd, 0xfefc].map(ProtocolVersion);
        assert!(with.iter().all(|version| version.has_signature_algorithms()));
        let without = [0x0300, 0x0301, 0x0302, 0xfeff].map(ProtocolVersion);
        assert!(without.iter().all(|version| !version.has_signature_algorithms()));
    }
}
