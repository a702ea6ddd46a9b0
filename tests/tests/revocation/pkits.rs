//! The Public Key Interoperability Test Suite of NIST, where there is a copy: sections 4.4, 4.14 and 4.15.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use observer_tls::x509::{CertificateFacts, CertificateParts};
use tls_observer::verify::revocation::{Answer, Crl, RevocationSources};
use tls_observer::verify::{Link, Revocation};

/// Names a folder whose `x509/pyca/PKITS_data` has the suite.
const CAPTURES: &str = "TLS_OBSERVER_CAPTURES";
/// 2024-06-01T00:00:00Z; the suite is valid from 2010 to 2030.
const TIME: i64 = 1_717_200_000;

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

/// The certificates above `leaf`, up to one that nobody else issued.
fn path<'a>(leaf: &'a [u8], authorities: &'a HashMap<Vec<u8>, Vec<u8>>) -> Vec<&'a [u8]> {
    let mut path = vec![leaf];
    loop {
        let facts = CertificateFacts::parse(path.last().unwrap());
        match facts
            .authority_key_id
            .as_ref()
            .and_then(|key| authorities.get(key))
        {
            Some(issuer) if facts.authority_key_id != facts.subject_key_id => path.push(issuer),
            _ => return path,
        }
    }
}

#[test]
fn the_suite_of_nist_is_judged_as_it_says() {
    use Revocation::{Good, Revoked, Unknown};
    let folder = std::env::var_os(CAPTURES).map(|root| PathBuf::from(root).join("x509/pyca/PKITS_data"));
    let Some(folder) = folder.filter(|folder| folder.join("crls").is_dir()) else {
        println!("{CAPTURES} names no copy of the suite with its CRLs");
        return;
    };
    let lists = read(&folder.join("crls"));
    let sources = RevocationSources::new(lists.iter().flat_map(|list| Crl::parse_file(list).unwrap()));
    let certificates = read(&folder.join("certs")).into_iter();
    let authorities =
        certificates.filter_map(|der| Some((CertificateFacts::parse(&der).subject_key_id?, der)));
    let authorities: HashMap<_, _> = authorities.collect();

    for (name, expected) in [
        ("InvalidMissingCRLTest1EE", Unknown),
        ("InvalidRevokedEETest3EE", Revoked),
        ("InvalidBadCRLSignatureTest4EE", Unknown),
        ("InvalidBadCRLIssuerNameTest5EE", Unknown),
        ("InvalidWrongCRLTest6EE", Unknown),
        ("ValidTwoCRLsTest7EE", Good),
        ("InvalidUnknownCRLEntryExtensionTest8EE", Revoked),
        ("InvalidUnknownCRLExtensionTest9EE", Revoked),
        ("InvalidUnknownCRLExtensionTest10EE", Unknown),
        ("InvalidOldCRLnextUpdateTest11EE", Unknown),
        ("Invalidpre2000CRLnextUpdateTest12EE", Unknown),
        ("ValidGeneralizedTimeCRLnextUpdateTest13EE", Good),
        ("ValidNegativeSerialNumberTest14EE", Good),
        ("InvalidNegativeSerialNumberTest15EE", Revoked),
        ("ValidLongSerialNumberTest16EE", Good),
        ("ValidLongSerialNumberTest17EE", Good),
        ("InvalidLongSerialNumberTest18EE", Revoked),
        // CRLs by another key of the issuer than that of the path are not used.
        ("ValidSeparateCertificateandCRLKeysTest19EE", Unknown),
        ("InvalidSeparateCertificateandCRLKeysTest20EE", Unknown),
        ("InvalidSeparateCertificateandCRLKeysTest21EE", Unknown),
        ("ValiddistributionPointTest1EE", Good),
        ("InvaliddistributionPointTest2EE", Revoked),
        ("InvaliddistributionPointTest3EE", Unknown),
        // Of two names of a point, one relative to the issuer and one not, it is not seen that they are the same.
        ("ValiddistributionPointTest4EE", Unknown),
        ("ValiddistributionPointTest5EE", Good),
        ("InvaliddistributionPointTest6EE", Revoked),
        ("ValiddistributionPointTest7EE", Unknown),
        ("InvaliddistributionPointTest8EE", Unknown),
        ("InvaliddistributionPointTest9EE", Unknown),
        ("ValidNoissuingDistributionPointTest10EE", Good),
        ("InvalidonlyContainsUserCertsTest11EE", Unknown),
        ("InvalidonlyContainsCACertsTest12EE", Unknown),
        ("ValidonlyContainsCACertsTest13EE", Good),
        ("InvalidonlyContainsAttributeCertsTest14EE", Unknown),
        ("InvalidonlySomeReasonsTest15EE", Revoked),
        ("InvalidonlySomeReasonsTest16EE", Revoked),
        ("InvalidonlySomeReasonsTest17EE", Unknown),
        // Several CRLs that are each about some reasons are not put together.
        ("ValidonlySomeReasonsTest18EE", Unknown),
        ("ValidonlySomeReasonsTest19EE", Unknown),
        ("InvalidonlySomeReasonsTest20EE", Revoked),
        ("InvalidonlySomeReasonsTest21EE", Revoked),
        // Indirect CRLs are not used.
        ("ValidIDPwithindirectCRLTest22EE", Unknown),
        ("InvalidIDPwithindirectCRLTest23EE", Unknown),
        ("InvaliddeltaCRLIndicatorNoBaseTest1EE", Unknown),
        ("ValiddeltaCRLTest2EE", Good),
        ("InvaliddeltaCRLTest3EE", Revoked),
        ("InvaliddeltaCRLTest4EE", Revoked),
        // Only a delta tells that the hold was taken back, and deltas only count against a certificate.
        ("ValiddeltaCRLTest5EE", Revoked),
        ("InvaliddeltaCRLTest6EE", Revoked),
        ("ValiddeltaCRLTest7EE", Good),
        ("ValiddeltaCRLTest8EE", Good),
        ("InvaliddeltaCRLTest9EE", Revoked),
        ("InvaliddeltaCRLTest10EE", Unknown),
    ] {
        let answer = check(&sources, &folder, &authorities, name);
        assert_eq!(
            (answer.revocation, answer.chain_revoked),
            (expected, false),
            "{name}: {answer:?}"
        );
    }
    let answer = check(&sources, &folder, &authorities, "InvalidRevokedCATest2EE");
    assert!(answer.chain_revoked, "{answer:?}");
    let detail = answer.detail.unwrap();
    assert!(
        detail.contains("; CN=Revoked subCA,O=Test Certificates 2011,C=US: revoked 2010-"),
        "{detail}"
    );
}

fn check(
    sources: &RevocationSources,
    folder: &Path,
    authorities: &HashMap<Vec<u8>, Vec<u8>>,
    name: &str,
) -> Answer {
    let leaf = fs::read(folder.join(format!("certs/{name}.crt"))).unwrap();
    let path = path(&leaf, authorities);
    let issuers = path
        .iter()
        .skip(1)
        .map(|der| CertificateParts::read(der).unwrap());
    let links = path.iter().zip(issuers).map(|(certificate, issuer)| Link {
        certificate,
        issuer: issuer.subject,
        issuer_key: issuer.public_key,
    });
    sources.check(&links.collect::<Vec<_>>(), TIME, None)
}
