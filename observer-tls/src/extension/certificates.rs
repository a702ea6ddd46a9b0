//! What extensions say of certificates: status requests and stapled answers, timestamps, delegated credentials, names
//! of authorities.

use bytes::Bytes;

use crate::codepoints::{CertificateStatusType, SignatureScheme};
use crate::error::ParseError;
use crate::reader::Reader;
use crate::vectors::{items, whole};

/// A client's wish for a stapled answer about the server's certificate (RFC 6066, section 8; RFC 6961, section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusRequest {
    /// What kind of answer.
    pub status_type: CertificateStatusType,
    /// The responders that the client trusts, each a DER `ResponderID`; none: any. Only of the OCSP kinds.
    pub responder_ids: Vec<Bytes>,
    /// DER `Extensions` of the OCSP request; may be empty.
    pub request_extensions: Bytes,
}

/// A stapled answer about certificates (RFC 6066, section 8; RFC 6961, section 2.2; RFC 8446, section 4.4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StapledStatus {
    /// What kind of answer.
    pub status_type: CertificateStatusType,
    /// DER OCSP responses. Of kind `ocsp` one, about the server's own certificate; of kind `ocsp_multi` one a
    /// certificate of the chain, empty where the server has none. Of other kinds the raw rest.
    pub responses: Vec<Bytes>,
}

/// A certificate transparency log's promise (RFC 6962, section 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedCertificateTimestamp {
    /// 0 is v1, the only one defined. Of others only `raw` is filled.
    pub version: u8,
    /// SHA-256 of the log's key.
    pub log_id: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: u64,
    /// How the log signed.
    pub signature_scheme: SignatureScheme,
    /// All of it, as sent.
    pub raw: Bytes,
}

/// A short-lived key that a certificate's key vouches for (RFC 9345, section 4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DelegatedCredential {
    /// How long it is valid, in seconds from the certificate's notBefore.
    pub valid_time: u32,
    /// The algorithm that the credential signs the handshake with.
    pub certificate_verify_algorithm: SignatureScheme,
    /// The credential's DER SubjectPublicKeyInfo.
    pub public_key: Bytes,
    /// The algorithm with which the certificate's key signed the credential.
    pub algorithm: SignatureScheme,
    /// Length of that signature in bytes.
    pub signature_length: usize,
}

/// What a client certificate's extension must hold (RFC 8446, section 4.2.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OidFilter {
    /// DER of the extension's object identifier.
    pub oid: Bytes,
    /// DER of the values it must have.
    pub values: Bytes,
}

pub(super) fn status_request(reader: &mut Reader<'_>, data: &Bytes) -> Result<StatusRequest, ParseError> {
    let status_type = CertificateStatusType(reader.u8("status_type")?);
    ocsp_request(status_type, reader, data)
}

/// The list of status_request_v2, in which each request has a length.
pub(super) fn status_requests(
    reader: &mut Reader<'_>,
    data: &Bytes,
) -> Result<Vec<StatusRequest>, ParseError> {
    items(reader.vec16("certificate_status_req_list")?, |list| {
        let status_type = CertificateStatusType(list.u8("status_type")?);
        whole(list.vec16("request")?.peek(), "request", |request| {
            ocsp_request(status_type, request, data)
        })
    })
}

fn ocsp_request(
    status_type: CertificateStatusType,
    reader: &mut Reader<'_>,
    data: &Bytes,
) -> Result<StatusRequest, ParseError> {
    if !matches!(
        status_type,
        CertificateStatusType::OCSP | CertificateStatusType::OCSP_MULTI
    ) {
        return Ok(StatusRequest {
            status_type,
            responder_ids: Vec::new(),
            request_extensions: data.slice_ref(reader.rest()),
        });
    }
    Ok(StatusRequest {
        status_type,
        responder_ids: items(reader.vec16("responder_id_list")?, |list| {
            Ok(data.slice_ref(list.vec16("ResponderID")?.peek()))
        })?,
        request_extensions: data.slice_ref(reader.vec16("request_extensions")?.peek()),
    })
}

/// A stapled answer: the content of the extension of a TLS 1.3 Certificate, and the body of CertificateStatus.
pub(crate) fn stapled_status(reader: &mut Reader<'_>, data: &Bytes) -> Result<StapledStatus, ParseError> {
    let status_type = CertificateStatusType(reader.u8("status_type")?);
    let responses = match status_type {
        CertificateStatusType::OCSP => vec![data.slice_ref(reader.vec24("OCSPResponse")?.peek())],
        CertificateStatusType::OCSP_MULTI => items(reader.vec24("ocsp_response_list")?, |list| {
            Ok(data.slice_ref(list.vec24("OCSPResponse")?.peek()))
        })?,
        _ => vec![data.slice_ref(reader.rest())],
    };
    Ok(StapledStatus {
        status_type,
        responses,
    })
}

/// A list of timestamps (RFC 6962, section 3.3).
pub(super) fn timestamps(
    reader: &mut Reader<'_>,
    data: &Bytes,
) -> Result<Vec<SignedCertificateTimestamp>, ParseError> {
    items(reader.vec16("sct_list")?, |list| {
        timestamp(data.slice_ref(list.vec16("SerializedSCT")?.peek()))
    })
}

fn timestamp(raw: Bytes) -> Result<SignedCertificateTimestamp, ParseError> {
    let mut reader = Reader::new(&raw);
    let version = reader.u8("sct_version")?;
    let mut timestamp = SignedCertificateTimestamp {
        version,
        log_id: [0; 32],
        timestamp_ms: 0,
        signature_scheme: SignatureScheme(0),
        raw: raw.clone(),
    };
    if version == 0 {
        timestamp.log_id = reader.array("log_id")?;
        timestamp.timestamp_ms = u64::from_be_bytes(reader.array("timestamp")?);
        reader.vec16("CtExtensions")?;
        timestamp.signature_scheme = SignatureScheme(reader.u16("algorithm")?);
        reader.vec16("signature")?;
        reader.finish("SignedCertificateTimestamp")?;
    }
    Ok(timestamp)
}

pub(super) fn delegated_credential(
    reader: &mut Reader<'_>,
    data: &Bytes,
) -> Result<DelegatedCredential, ParseError> {
    Ok(DelegatedCredential {
        valid_time: reader.u32("valid_time")?,
        certificate_verify_algorithm: SignatureScheme(reader.u16("dc_cert_verify_algorithm")?),
        public_key: data.slice_ref(reader.vec24("ASN1_subjectPublicKeyInfo")?.peek()),
        algorithm: SignatureScheme(reader.u16("algorithm")?),
        signature_length: reader.vec16("signature")?.len(),
    })
}

/// DER names of authorities (RFC 8446, section 4.2.4; RFC 5246, section 7.4.4).
pub(crate) fn distinguished_names(list: Reader<'_>, message: &Bytes) -> Result<Vec<Bytes>, ParseError> {
    items(list, |list| {
        Ok(message.slice_ref(list.vec16("DistinguishedName")?.peek()))
    })
}

pub(super) fn oid_filters(reader: &mut Reader<'_>, data: &Bytes) -> Result<Vec<OidFilter>, ParseError> {
    items(reader.vec16("filters")?, |list| {
        Ok(OidFilter {
            oid: data.slice_ref(list.vec8("certificate_extension_oid")?.peek()),
            values: data.slice_ref(list.vec16("certificate_extension_values")?.peek()),
        })
    })
}
