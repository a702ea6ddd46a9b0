//! Certificates made for tests.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

/// When handshakes are: 2025-06-01T00:00:00Z.
pub const NOW: i64 = 1_748_736_000;

/// Sets a validity from the beginning of one year to that of another.
pub fn valid(parameters: &mut CertificateParams, from: i32, to: i32) {
    parameters.not_before = date_time_ymd(from, 1, 1);
    parameters.not_after = date_time_ymd(to, 1, 1);
}

/// An authority that issues.
pub struct Authority {
    /// Its certificate.
    pub der: Vec<u8>,
    /// What it is made of.
    pub parameters: CertificateParams,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// One that signs itself.
    pub fn root(name: &str) -> Self {
        Self::root_with(authority_parameters(name))
    }

    /// One that signs itself, with these parameters.
    pub fn root_with(parameters: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        Self {
            der,
            issuer: Issuer::new(parameters.clone(), key),
            parameters,
        }
    }

    /// An authority below this one.
    pub fn authority(&self, name: &str) -> Self {
        self.authority_with(authority_parameters(name))
    }

    /// An authority below this one, with these parameters.
    pub fn authority_with(&self, parameters: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self {
            der: self.sign(&parameters, &key),
            issuer: Issuer::new(parameters.clone(), key),
            parameters,
        }
    }

    /// A certificate of the same name and key by another authority.
    pub fn cross_signed_by(&self, other: &Self) -> Vec<u8> {
        other.sign(&self.parameters, self.issuer.key())
    }

    /// Another certificate of this root's key, with these parameters.
    pub fn with_parameters(&self, parameters: CertificateParams) -> Vec<u8> {
        parameters.self_signed(self.issuer.key()).unwrap().der().to_vec()
    }

    /// A leaf for clients with nothing wrong.
    pub fn leaf(&self) -> Vec<u8> {
        self.leaf_with(&leaf_parameters())
    }

    /// A leaf with these parameters.
    pub fn leaf_with(&self, parameters: &CertificateParams) -> Vec<u8> {
        self.sign(parameters, &KeyPair::generate().unwrap())
    }

    /// A list of revoked certificates, DER: fresh from 2025 to 2026.
    pub fn revocation_list(&self, serials: &[u64]) -> Vec<u8> {
        let entry = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2026, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    fn sign(&self, parameters: &CertificateParams, key: &KeyPair) -> Vec<u8> {
        parameters.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }
}

/// A leaf that signs itself.
pub fn self_signed(parameters: &CertificateParams) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().der().to_vec()
}

/// An authority valid from 2020 to 2040.
pub fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.use_authority_key_identifier_extension = true;
    valid(&mut parameters, 2020, 2040);
    parameters
}

/// A client's leaf valid from 2025 to 2026.
pub fn leaf_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::new(["leaf.example.org".to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "leaf");
    parameters.serial_number = Some(SerialNumber::from(7_u64));
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters.use_authority_key_identifier_extension = true;
    valid(&mut parameters, 2025, 2026);
    parameters
}
