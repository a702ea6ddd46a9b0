//! From the bytes of an extension to its content, by its type and the message it stands in.

use bytes::Bytes;

use super::{ExtensionContent as Content, ExtensionContext as Context, certificates, ech, keys, names};
use crate::codepoints::{
    CertificateCompressionAlgorithm, CertificateType, EcPointFormat, ExtensionType as Type, HeartbeatMode,
    MaxFragmentLength, NamedGroup, ProtocolVersion, PskKeyExchangeMode, SignatureScheme,
    SrtpProtectionProfile,
};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::{items, whole};

pub(super) fn content(typ: Type, data: &Bytes, context: Context) -> Result<Content, ParseError> {
    whole(data, "extension_data", |reader| match context {
        _ if reader.is_empty() && may_be_empty(typ, context) => Ok(Content::Present),
        Context::ClientHello => of_client(typ, data, reader),
        Context::CertificateRequest => of_request(typ, data, reader),
        Context::ServerHello | Context::EncryptedExtensions => of_server(typ, data, reader, context),
        Context::HelloRetryRequest => of_retry(typ, data, reader),
        Context::Certificate => of_certificate(typ, data, reader),
        Context::NewSessionTicket => match typ {
            Type::EARLY_DATA => reader.u32("max_early_data_size").map(Content::MaxEarlyData),
            _ => Ok(raw(data, reader)),
        },
    })
}

/// Whether the extension says something by being there without content: a wish or an acknowledgement (RFC 6066,
/// section 3; RFC 6962, section 3.3.1; RFC 8446, section 4.4.2.1).
fn may_be_empty(typ: Type, context: Context) -> bool {
    match typ {
        Type::SERVER_NAME | Type::SIGNED_CERTIFICATE_TIMESTAMP | Type::TRANSPARENCY_INFO => true,
        Type::STATUS_REQUEST | Type::STATUS_REQUEST_V2 => matches!(
            context,
            Context::ServerHello | Context::EncryptedExtensions | Context::CertificateRequest
        ),
        Type::SESSION_TICKET => context == Context::ServerHello,
        _ => false,
    }
}

fn of_client(typ: Type, data: &Bytes, reader: &mut Reader<'_>) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::SERVER_NAME => Content::ServerNames(names::server_names(reader, data)?),
        Type::STATUS_REQUEST => Content::StatusRequest(certificates::status_request(reader, data)?),
        Type::STATUS_REQUEST_V2 => Content::StatusRequests(certificates::status_requests(reader, data)?),
        Type::CERT_TYPE | Type::CLIENT_CERTIFICATE_TYPE | Type::SERVER_CERTIFICATE_TYPE => {
            Content::CertificateTypes(bytes(reader.vec8("certificate_types")?, CertificateType))
        }
        Type::SRP => Content::SrpUser(data.slice_ref(reader.vec8("srp_I")?.peek())),
        Type::PRE_SHARED_KEY => {
            let (identities, binder_lengths) = keys::pre_shared_keys(reader, data)?;
            Content::PreSharedKeys {
                identities,
                binder_lengths,
            }
        }
        Type::SUPPORTED_VERSIONS => {
            Content::SupportedVersions(reader.vec8("versions")?.u16_list("versions", ProtocolVersion)?)
        }
        Type::COOKIE => Content::Cookie(data.slice_ref(reader.vec16("cookie")?.peek())),
        Type::PSK_KEY_EXCHANGE_MODES => {
            Content::PskKeyExchangeModes(bytes(reader.vec8("ke_modes")?, PskKeyExchangeMode))
        }
        Type::KEY_SHARE | Type::KEY_SHARE_DRAFT => Content::KeyShares(keys::key_shares(reader)?),
        Type::TICKET_REQUEST => Content::TicketRequest {
            new_sessions: reader.u8("new_session_count")?,
            resumption: reader.u8("resumption_count")?,
        },
        Type::ENCRYPTED_CLIENT_HELLO => Content::EncryptedClientHello(ech::client_hello(reader)?),
        Type::ECH_OUTER_EXTENSIONS => Content::EchOuterExtensions(
            reader
                .vec8("OuterExtensions")?
                .u16_list("OuterExtensions", Type)?,
        ),
        Type::ENCRYPTED_SERVER_NAME => Content::EncryptedServerName(ech::server_name(reader, data)?),
        Type::APPLICATION_SETTINGS | Type::APPLICATION_SETTINGS_NEW => {
            Content::ProtocolNames(names::protocol_names(reader, data)?)
        }
        Type::CLIENT_CERTIFICATE_URL
        | Type::TRUNCATED_HMAC
        | Type::EARLY_DATA
        | Type::POST_HANDSHAKE_AUTH
        | Type::NEXT_PROTOCOL_NEGOTIATION
        | Type::TRANSPARENCY_INFO
        | Type::TLS_CERT_WITH_EXTERN_PSK => Content::Present,
        _ => return of_request(typ, data, reader),
    })
}

/// What both a ClientHello and a CertificateRequest may have.
fn of_request(typ: Type, data: &Bytes, reader: &mut Reader<'_>) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::STATUS_REQUEST => Content::StatusRequest(certificates::status_request(reader, data)?),
        Type::SIGNATURE_ALGORITHMS | Type::SIGNATURE_ALGORITHMS_CERT | Type::DELEGATED_CREDENTIAL => {
            Content::SignatureSchemes(signature_schemes(reader)?)
        }
        Type::CERTIFICATE_AUTHORITIES => Content::CertificateAuthorities(certificates::distinguished_names(
            reader.vec16("authorities")?,
            data,
        )?),
        Type::OID_FILTERS => Content::OidFilters(certificates::oid_filters(reader, data)?),
        Type::COMPRESS_CERTIFICATE => Content::CompressCertificate(
            reader
                .vec8("algorithms")?
                .u16_list("algorithms", CertificateCompressionAlgorithm)?,
        ),
        _ => return of_either(typ, data, reader),
    })
}

fn of_server(
    typ: Type,
    data: &Bytes,
    reader: &mut Reader<'_>,
    context: Context,
) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::CERT_TYPE | Type::CLIENT_CERTIFICATE_TYPE | Type::SERVER_CERTIFICATE_TYPE => {
            Content::CertificateType(CertificateType(reader.u8("certificate_type")?))
        }
        Type::PRE_SHARED_KEY => Content::SelectedPsk(reader.u16("selected_identity")?),
        Type::SUPPORTED_VERSIONS => {
            Content::SelectedVersion(ProtocolVersion(reader.u16("selected_version")?))
        }
        Type::KEY_SHARE | Type::KEY_SHARE_DRAFT => Content::KeyShare(keys::key_share(reader)?),
        Type::TICKET_REQUEST => Content::ExpectedTickets(reader.u8("expected_count")?),
        Type::NEXT_PROTOCOL_NEGOTIATION => Content::NextProtocols(names::next_protocols(reader, data)?),
        Type::APPLICATION_SETTINGS | Type::APPLICATION_SETTINGS_NEW => {
            Content::ApplicationSettings(data.slice_ref(reader.rest()))
        }
        Type::ENCRYPTED_CLIENT_HELLO if context == Context::EncryptedExtensions => {
            Content::EchRetryConfigs(ech::retry_configs(reader, data)?)
        }
        Type::ENCRYPTED_SERVER_NAME => Content::EsniNonce(reader.array("nonce")?),
        Type::CLIENT_CERTIFICATE_URL
        | Type::TRUNCATED_HMAC
        | Type::EARLY_DATA
        | Type::TLS_CERT_WITH_EXTERN_PSK => Content::Present,
        _ => return of_either(typ, data, reader),
    })
}

fn of_retry(typ: Type, data: &Bytes, reader: &mut Reader<'_>) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::SUPPORTED_VERSIONS => {
            Content::SelectedVersion(ProtocolVersion(reader.u16("selected_version")?))
        }
        Type::KEY_SHARE | Type::KEY_SHARE_DRAFT => {
            Content::SelectedGroup(NamedGroup(reader.u16("selected_group")?))
        }
        Type::COOKIE => Content::Cookie(data.slice_ref(reader.vec16("cookie")?.peek())),
        Type::ENCRYPTED_CLIENT_HELLO => Content::EchConfirmation(reader.array("confirmation")?),
        _ => raw(data, reader),
    })
}

fn of_certificate(typ: Type, data: &Bytes, reader: &mut Reader<'_>) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::STATUS_REQUEST | Type::STATUS_REQUEST_V2 => {
            Content::StapledStatus(certificates::stapled_status(reader, data)?)
        }
        Type::DELEGATED_CREDENTIAL => {
            Content::DelegatedCredential(certificates::delegated_credential(reader, data)?)
        }
        // Here it says that the certificate is one that the peer asked for.
        Type::TRUST_ANCHORS => Content::Present,
        Type::SIGNED_CERTIFICATE_TIMESTAMP | Type::TRANSPARENCY_INFO => return of_either(typ, data, reader),
        _ => raw(data, reader),
    })
}

/// What has the same form from whomever it comes.
fn of_either(typ: Type, data: &Bytes, reader: &mut Reader<'_>) -> Result<Content, ParseError> {
    Ok(match typ {
        Type::MAX_FRAGMENT_LENGTH => {
            Content::MaxFragmentLength(MaxFragmentLength(reader.u8("max_fragment_length")?))
        }
        Type::SUPPORTED_GROUPS => {
            let field = "named_group_list";
            Content::SupportedGroups(reader.vec16(field)?.u16_list(field, NamedGroup)?)
        }
        Type::EC_POINT_FORMATS => {
            Content::EcPointFormats(bytes(reader.vec8("ec_point_format_list")?, EcPointFormat))
        }
        Type::USE_SRTP => {
            let field = "SRTPProtectionProfiles";
            Content::UseSrtp {
                profiles: reader.vec16(field)?.u16_list(field, SrtpProtectionProfile)?,
                mki: data.slice_ref(reader.vec8("srtp_mki")?.peek()),
            }
        }
        Type::HEARTBEAT => Content::Heartbeat(HeartbeatMode(reader.u8("HeartbeatMode")?)),
        Type::ALPN => Content::ProtocolNames(names::protocol_names(reader, data)?),
        Type::SIGNED_CERTIFICATE_TIMESTAMP => {
            Content::SignedCertificateTimestamps(certificates::timestamps(reader, data)?)
        }
        Type::PADDING => Content::Padding(reader.rest().len()),
        Type::ENCRYPT_THEN_MAC | Type::EXTENDED_MAIN_SECRET | Type::CHANNEL_ID | Type::CHANNEL_ID_OLD => {
            Content::Present
        }
        Type::TOKEN_BINDING => Content::TokenBinding {
            version: (reader.u8("major")?, reader.u8("minor")?),
            key_parameters: data.slice_ref(reader.vec8("key_parameters_list")?.peek()),
        },
        Type::RECORD_SIZE_LIMIT => Content::RecordSizeLimit(reader.u16("RecordSizeLimit")?),
        Type::SESSION_TICKET => Content::SessionTicket(data.slice_ref(reader.rest())),
        Type::TRUST_ANCHORS => Content::TrustAnchors(items(reader.vec16("TrustAnchorIDList")?, |list| {
            Ok(data.slice_ref(list.vec8("TrustAnchorID")?.peek()))
        })?),
        Type::RENEGOTIATION_INFO => {
            Content::RenegotiationInfo(data.slice_ref(reader.vec8("renegotiated_connection")?.peek()))
        }
        Type::CONNECTION_ID => Content::ConnectionId(data.slice_ref(reader.vec8("cid")?.peek())),
        Type::EXTERNAL_ID_HASH => {
            Content::ExternalIdHash(data.slice_ref(reader.vec8("binding_hash")?.peek()))
        }
        Type::EXTERNAL_SESSION_ID => {
            Content::ExternalSessionId(data.slice_ref(reader.vec8("session_id")?.peek()))
        }
        Type::TRANSPARENCY_INFO => {
            Content::TransparencyInfo(items(reader.vec16("trans_item_list")?, |list| {
                Ok(data.slice_ref(list.vec16("SerializedTransItem")?.peek()))
            })?)
        }
        _ => raw(data, reader),
    })
}

/// The schemes of signature_algorithms and its like (RFC 8446, section 4.2.3).
pub(crate) fn signature_schemes(reader: &mut Reader<'_>) -> Result<Vec<SignatureScheme>, ParseError> {
    let field = "supported_signature_algorithms";
    reader.vec16(field)?.u16_list(field, SignatureScheme)
}

fn bytes<T>(mut list: Reader<'_>, wrap: impl Fn(u8) -> T) -> Vec<T> {
    list.rest().iter().map(|value| wrap(*value)).collect()
}

fn raw(data: &Bytes, reader: &mut Reader<'_>) -> Content {
    Content::Raw(data.slice_ref(reader.rest()))
}
