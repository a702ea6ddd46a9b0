//! What a strict reader objects to. The facts are read as tolerantly as by any peer; peers that insist on DER and on
//! RFC 5280 refuse some of these certificates, and an operator wants to know which.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::validate::{Validator, VecLogger, X509StructureValidator};

use super::CertificateFacts;

/// Objections that are told of one certificate at most.
const MAX_OBJECTIONS: usize = 8;
/// How the validator begins what it says of extensions that it knows nothing of, which is no objection.
const NO_OBJECTION: &str = "Unsupported extension";

impl CertificateFacts {
    /// Fills [`CertificateFacts::nonconformities`] with what the crate x509-parser, which takes only DER, and its checks of
    /// structure object to. The certificate is read anew, which takes longer than the first time.
    pub fn check_conformity(&mut self) {
        self.nonconformities = objections(&self.der);
    }
}

fn objections(der: &[u8]) -> Vec<String> {
    let (rest, certificate) = match X509Certificate::from_der(der) {
        Ok(parsed) => parsed,
        Err(error) => return vec![error.to_string()],
    };
    let mut objections = VecLogger::default();
    X509StructureValidator.validate(&certificate, &mut objections);
    let trailing = (!rest.is_empty()).then(|| format!("{} bytes behind the certificate", rest.len()));
    let said = objections.errors().iter().chain(objections.warnings());
    said.filter(|text| !text.starts_with(NO_OBJECTION))
        .cloned()
        .chain(trailing)
        .take(MAX_OBJECTIONS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_conform_is_objected_to() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        parameters.serial_number = Some(vec![1, 2, 3].into());
        let conforming = parameters.self_signed(&key).unwrap().der().to_vec();
        assert!(objections(&conforming).is_empty());

        let trailing = [conforming.as_slice(), &[0, 0]].concat();
        assert_eq!(objections(&trailing), ["2 bytes behind the certificate"]);

        // The serial number's first byte becomes negative.
        let at = conforming.windows(5).position(|w| w == [2, 3, 1, 2, 3]).unwrap();
        let mut negative = conforming.clone();
        negative[at + 2] = 0x81;
        let said = objections(&negative);
        assert!(said.iter().any(|text| text.contains("negative")), "{said:?}");

        let mut facts = CertificateFacts::parse(b"abc");
        facts.check_conformity();
        assert_eq!(facts.nonconformities.len(), 1);
    }
}
