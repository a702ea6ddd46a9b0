//! What an extension says.

use bytes::Bytes;

use super::{
    DelegatedCredential, EchConfig, EncryptedClientHello, EncryptedServerName, Extension, KeyShare,
    OidFilter, PskIdentity, ServerName, SignedCertificateTimestamp, StapledStatus, StatusRequest, parse,
};
use crate::codepoints::{
    CertificateCompressionAlgorithm, CertificateType, EcPointFormat, ExtensionType, HeartbeatMode,
    MaxFragmentLength, NamedGroup, ProtocolVersion, PskKeyExchangeMode, SignatureScheme,
    SrtpProtectionProfile,
};
use crate::error::ParseError;

/// The message that an extension stands in: many have another form in each (RFC 8446, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtensionContext {
    /// ClientHello.
    ClientHello,
    /// ServerHello. Up to TLS 1.2 it has what TLS 1.3 puts into EncryptedExtensions.
    ServerHello,
    /// HelloRetryRequest.
    HelloRetryRequest,
    /// EncryptedExtensions.
    EncryptedExtensions,
    /// CertificateRequest of TLS 1.3.
    CertificateRequest,
    /// One certificate of a Certificate message of TLS 1.3.
    Certificate,
    /// NewSessionTicket of TLS 1.3.
    NewSessionTicket,
}

/// The typed content of an extension, lists in the order sent. Values with two forms, by whom they are from, have two
/// variants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtensionContent {
    /// An extension that says all by being there: extended_main_secret, encrypt_then_mac, post_handshake_auth, early
    /// data offered or taken, acknowledgements.
    Present,
    /// server_name (RFC 6066, section 3).
    ServerNames(Vec<ServerName>),
    /// max_fragment_length (RFC 6066, section 4).
    MaxFragmentLength(MaxFragmentLength),
    /// status_request of a client (RFC 6066, section 8).
    StatusRequest(StatusRequest),
    /// status_request_v2 of a client (RFC 6961, section 2.2).
    StatusRequests(Vec<StatusRequest>),
    /// status_request beside a certificate of TLS 1.3: the stapled answer (RFC 8446, section 4.4.2.1).
    StapledStatus(StapledStatus),
    /// cert_type of a client (RFC 6091, section 3.1), client_certificate_type or server_certificate_type of a client
    /// (RFC 7250, section 3).
    CertificateTypes(Vec<CertificateType>),
    /// The same of a server: its choice.
    CertificateType(CertificateType),
    /// supported_groups (RFC 8446, section 4.2.7).
    SupportedGroups(Vec<NamedGroup>),
    /// ec_point_formats (RFC 8422, section 5.1.2).
    EcPointFormats(Vec<EcPointFormat>),
    /// srp: the user's name (RFC 5054, section 2.8.1).
    SrpUser(Bytes),
    /// signature_algorithms, signature_algorithms_cert (RFC 8446, section 4.2.3) and a client's delegated_credential
    /// (RFC 9345, section 4.1.1).
    SignatureSchemes(Vec<SignatureScheme>),
    /// use_srtp (RFC 5764, section 4.1.1).
    UseSrtp {
        /// The profiles offered, or the one chosen.
        profiles: Vec<SrtpProtectionProfile>,
        /// The master key identifier, 0 to 255 bytes.
        mki: Bytes,
    },
    /// heartbeat (RFC 6520, section 2).
    Heartbeat(HeartbeatMode),
    /// application_layer_protocol_negotiation (RFC 7301, section 3.1), and application_settings of a client.
    ProtocolNames(Vec<Bytes>),
    /// application_settings of a server: the settings of the protocol chosen.
    ApplicationSettings(Bytes),
    /// next_protocol_negotiation of a server.
    NextProtocols(Vec<Bytes>),
    /// signed_certificate_timestamp (RFC 6962, section 3.3).
    SignedCertificateTimestamps(Vec<SignedCertificateTimestamp>),
    /// padding: how many bytes (RFC 7685, section 3).
    Padding(usize),
    /// token_binding (RFC 8472, section 2).
    TokenBinding {
        /// Version, major and minor.
        version: (u8, u8),
        /// The key parameters offered, or the one chosen.
        key_parameters: Bytes,
    },
    /// compress_certificate (RFC 8879, section 3).
    CompressCertificate(Vec<CertificateCompressionAlgorithm>),
    /// record_size_limit in bytes (RFC 8449, section 4). Less than 64 is not allowed.
    RecordSizeLimit(u16),
    /// delegated_credential beside a certificate (RFC 9345, section 4.1.2).
    DelegatedCredential(DelegatedCredential),
    /// session_ticket: a ticket (RFC 5077, section 3.2).
    SessionTicket(Bytes),
    /// pre_shared_key of a client (RFC 8446, section 4.2.11).
    PreSharedKeys {
        /// The keys offered.
        identities: Vec<PskIdentity>,
        /// Length in bytes of the proof of each key.
        binder_lengths: Vec<usize>,
    },
    /// pre_shared_key of a server: which of the client's it took, from 0.
    SelectedPsk(u16),
    /// early_data of a NewSessionTicket: how many bytes at most (RFC 8446, section 4.6.1).
    MaxEarlyData(u32),
    /// supported_versions of a client (RFC 8446, section 4.2.1).
    SupportedVersions(Vec<ProtocolVersion>),
    /// supported_versions of a server.
    SelectedVersion(ProtocolVersion),
    /// cookie (RFC 8446, section 4.2.2).
    Cookie(Bytes),
    /// psk_key_exchange_modes (RFC 8446, section 4.2.9).
    PskKeyExchangeModes(Vec<PskKeyExchangeMode>),
    /// certificate_authorities: DER names (RFC 8446, section 4.2.4).
    CertificateAuthorities(Vec<Bytes>),
    /// oid_filters (RFC 8446, section 4.2.5).
    OidFilters(Vec<OidFilter>),
    /// key_share of a client (RFC 8446, section 4.2.8).
    KeyShares(Vec<KeyShare>),
    /// key_share of a server.
    KeyShare(KeyShare),
    /// key_share of a HelloRetryRequest: the group it asks for.
    SelectedGroup(NamedGroup),
    /// ticket_request of a client (RFC 9149, section 3).
    TicketRequest {
        /// Tickets wanted after a full handshake.
        new_sessions: u8,
        /// Tickets wanted after a resumption.
        resumption: u8,
    },
    /// ticket_request of a server: how many tickets it will send.
    ExpectedTickets(u8),
    /// encrypted_client_hello of a ClientHello (RFC 9849, section 5).
    EncryptedClientHello(EncryptedClientHello),
    /// encrypted_client_hello of a HelloRetryRequest: the proof that the server read the sealed hello, or random bytes
    /// (RFC 9849, sections 7.2.1 and 5).
    EchConfirmation([u8; 8]),
    /// encrypted_client_hello of EncryptedExtensions: the keys to use next time.
    EchRetryConfigs(Vec<EchConfig>),
    /// ech_outer_extensions, within a sealed hello (RFC 9849, section 5.1).
    EchOuterExtensions(Vec<ExtensionType>),
    /// encrypted_server_name of a client (draft-ietf-tls-esni-02, section 5.1).
    EncryptedServerName(EncryptedServerName),
    /// encrypted_server_name of a server: the nonce that was in the client's.
    EsniNonce([u8; 16]),
    /// trust_anchors: relative object identifiers in DER (draft-ietf-tls-trust-anchor-ids, section 4).
    TrustAnchors(Vec<Bytes>),
    /// renegotiation_info: what the last handshake's Finished said, nothing in a first one (RFC 5746, section 3.2).
    RenegotiationInfo(Bytes),
    /// connection_id (RFC 9146, section 3).
    ConnectionId(Bytes),
    /// external_id_hash (RFC 8844, section 3.2).
    ExternalIdHash(Bytes),
    /// external_session_id (RFC 8844, section 4.3).
    ExternalSessionId(Bytes),
    /// transparency_info: serialized TransItems (RFC 9162, section 6.4).
    TransparencyInfo(Vec<Bytes>),
    /// What is kept raw: QUIC's transport parameters (RFC 9001, section 8.2), GREASE, extensions that this crate does
    /// not know, or does not know in this message.
    Raw(Bytes),
}

impl Extension {
    /// The typed content of this extension of a message of the kind `context`.
    ///
    /// # Errors
    /// When the extension is one this crate knows in that message, and has not the form it has there.
    pub fn content(&self, context: ExtensionContext) -> Result<ExtensionContent, ParseError> {
        parse::content(self.typ, &self.data, context)
    }
}
