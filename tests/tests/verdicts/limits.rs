//! Chains made by rcgen: what a certificate can be limited by, in combinations.

use rcgen::ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
use rcgen::KeyUsagePurpose::{CrlSign, DigitalSignature, KeyAgreement, KeyCertSign, KeyEncipherment};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
};

use super::case::Case;
use crate::authorities::{Authority, authority_parameters, leaf_parameters};

/// All of them.
pub fn cases() -> Vec<Case> {
    [purposes(), authorities(), path_lengths(), critical_extensions()].concat()
}

/// Uses of keys, extended and not, of leaves and of those above, for both sides.
fn purposes() -> Vec<Case> {
    let sets: [&[ExtendedKeyUsagePurpose]; 6] = [
        &[],
        &[ClientAuth],
        &[ServerAuth],
        &[ClientAuth, ServerAuth],
        &[Any],
        &[CodeSigning],
    ];
    let usages: [&[KeyUsagePurpose]; 6] = [
        &[],
        &[DigitalSignature],
        &[KeyEncipherment],
        &[KeyAgreement],
        &[CrlSign],
        &[DigitalSignature, KeyEncipherment],
    ];
    let mut cases = Vec::new();
    let mut add = |case: Case| cases.extend([case.as_server(), case]);
    let root = Authority::root("Root");
    for purposes in sets {
        for usage in usages {
            let mut parameters = leaf_parameters();
            parameters.extended_key_usages = purposes.to_vec();
            parameters.key_usages = usage.to_vec();
            let leaf = root.leaf_with(&parameters);
            add(Case::new(
                format!("leaf {purposes:?} {usage:?}"),
                &[&leaf],
                &[&root.der],
            ));
        }
        let mut limited = authority_parameters("Limited");
        limited.extended_key_usages = purposes.to_vec();
        let middle = root.authority_with(limited.clone());
        let mut both = leaf_parameters();
        both.extended_key_usages = vec![ClientAuth, ServerAuth];
        let leaf = middle.leaf_with(&both);
        add(Case::new(
            format!("issuer {purposes:?}"),
            &[&leaf, &middle.der],
            &[&root.der],
        ));
        let limited = Authority::root_with(limited);
        let leaf = limited.leaf_with(&both);
        add(Case::new(format!("root {purposes:?}"), &[&leaf], &[&limited.der]));
    }
    cases
}

/// What makes an authority one, of issuers and of roots.
fn authorities() -> Vec<Case> {
    let constraints = [
        IsCa::NoCa,
        IsCa::ExplicitNoCa,
        IsCa::Ca(BasicConstraints::Unconstrained),
    ];
    let usages: [&[KeyUsagePurpose]; 3] = [&[], &[KeyCertSign], &[DigitalSignature, CrlSign]];
    let mut cases = Vec::new();
    let root = Authority::root("Root");
    for is_ca in constraints {
        for usage in usages {
            let mut parameters = authority_parameters("Authority");
            parameters.is_ca = is_ca;
            parameters.key_usages = usage.to_vec();
            let what = format!("{is_ca:?} {usage:?}");
            let middle = root.authority_with(parameters.clone());
            cases.push(Case::new(
                format!("issuer {what}"),
                &[&middle.leaf(), &middle.der],
                &[&root.der],
            ));
            let odd_root = Authority::root_with(parameters.clone());
            cases.push(Case::new(
                format!("root {what}"),
                &[&odd_root.leaf()],
                &[&odd_root.der],
            ));
            // As the leaf itself.
            parameters.key_usages.push(DigitalSignature);
            let leaf = root.leaf_with(&parameters);
            cases.push(Case::new(format!("leaf {what}"), &[&leaf], &[&root.der]));
        }
    }
    cases
}

/// Path lengths of roots and issuers, and authorities that issue to themselves, which do not count.
fn path_lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in 0..=2 {
        for below in 0..=3_usize {
            for self_issued in [false, true] {
                let mut parameters = authority_parameters("Root");
                parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
                let mut authorities = vec![Authority::root_with(parameters)];
                for level in 0..below {
                    // The lowest has the name of the one above it, and another key.
                    let name = if self_issued && level + 1 == below && level > 0 {
                        format!("Level {}", level - 1)
                    } else {
                        format!("Level {level}")
                    };
                    authorities.push(authorities[level].authority(&name));
                }
                let leaf = authorities[below].leaf();
                let mut chain: Vec<&[u8]> = vec![&leaf];
                chain.extend(
                    authorities[1..]
                        .iter()
                        .rev()
                        .map(|authority| authority.der.as_slice()),
                );
                let name = format!("path length {length}, {below} below, self-issued {self_issued}");
                cases.push(Case::new(name, &chain, &[&authorities[0].der]));
            }
        }
    }
    cases
}

/// Extensions that are critical, of leaf and issuer.
fn critical_extensions() -> Vec<Case> {
    const POLICY: &[u8] = &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3];
    let extensions: [(&str, &[u64], &[u8]); 6] = [
        ("unknown", &[1, 3, 6, 1, 4, 1, 99_999, 1], &[5, 0]),
        ("certificate policies", &[2, 5, 29, 32], POLICY),
        ("policy constraints", &[2, 5, 29, 36], &[0x30, 3, 0x80, 1, 0]),
        ("inhibit any policy", &[2, 5, 29, 54], &[2, 1, 0]),
        ("OCSP no check", &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], &[5, 0]),
        ("TLS feature", &[1, 3, 6, 1, 5, 5, 7, 1, 24], &[0x30, 3, 2, 1, 5]),
    ];
    let root = Authority::root("Root");
    let mut cases = Vec::new();
    for (what, oid, value) in extensions {
        for critical in [true, false] {
            let add = |mut parameters: CertificateParams| {
                let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
                extension.set_criticality(critical);
                parameters.custom_extensions.push(extension);
                parameters
            };
            let leaf = root.leaf_with(&add(leaf_parameters()));
            let name = format!("{what}, critical {critical}");
            cases.push(Case::new(format!("leaf with {name}"), &[&leaf], &[&root.der]));
            let middle = root.authority_with(add(authority_parameters("Middle")));
            let chain: [&[u8]; 2] = [&middle.leaf(), &middle.der];
            cases.push(Case::new(format!("issuer with {name}"), &chain, &[&root.der]));
        }
    }
    cases
}
