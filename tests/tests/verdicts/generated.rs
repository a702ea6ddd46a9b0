//! Chains made by rcgen: what a certificate can be limited by, in combinations.

use anyhow::Result;
use rcgen::ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
use rcgen::KeyUsagePurpose::{CrlSign, DigitalSignature, KeyAgreement, KeyCertSign, KeyEncipherment};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, SanType,
};

use super::case::Case;
use crate::authorities::{Authority, authority_parameters, leaf_parameters, self_signed, valid};

/// All of them.
pub fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    cases.extend(depths());
    cases.extend(purposes());
    cases.extend(authorities());
    cases.extend(path_lengths());
    cases.extend(dates());
    cases.extend(name_constraints()?);
    cases.extend(keys_and_names()?);
    cases.extend(trusted_otherwise());
    cases.extend(host_names()?);
    cases.extend(critical_extensions());
    cases.extend(damages());
    Ok(cases)
}

/// Chains of all lengths, with certificates missing, in disorder, twice, or of others.
fn depths() -> Vec<Case> {
    let mut cases = Vec::new();
    let stranger = Authority::root("Stranger");
    for depth in 0..=8 {
        let root = Authority::root("Root");
        let mut authorities = vec![root];
        for level in 1..=depth {
            let name = format!("Level {level}");
            authorities.push(authorities[level - 1].authority(&name));
        }
        let leaf = authorities[depth].leaf();
        let root = authorities[0].der.clone();
        let others: Vec<&[u8]> = authorities[1..]
            .iter()
            .rev()
            .map(|authority| authority.der.as_slice())
            .collect();
        let mut add = |name: &str, others: &[&[u8]]| {
            let chain = [&[leaf.as_slice()], others].concat();
            let name = format!("depth {depth}, {name}");
            cases.push(Case::new(name.clone(), &chain, &[&root]));
            if depth < 3 {
                let name = format!("{name}, stranger trusted");
                cases.push(Case::new(name, &chain, &[&stranger.der]));
            }
        };
        add("in order", &others);
        add("with root", &[&others[..], &[&root]].concat());
        add(
            "with stranger",
            &[&[stranger.der.as_slice()], &others[..]].concat(),
        );
        if depth > 1 {
            let reversed: Vec<&[u8]> = others.iter().rev().copied().collect();
            add("reversed", &reversed);
            add("doubled", &[&others[..], &others[..]].concat());
        }
        for missing in 0..depth {
            let mut others = others.clone();
            others.remove(missing);
            add(&format!("{missing} missing"), &others);
        }
    }
    cases
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
    for is_ca in &constraints {
        for usage in usages {
            let mut parameters = authority_parameters("Authority");
            parameters.is_ca = is_ca.clone();
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

/// Validities of leaf, issuer and root.
fn dates() -> Vec<Case> {
    const PERIODS: [(&str, i32, i32); 3] = [
        ("good", 2020, 2040),
        ("expired", 2020, 2025),
        ("future", 2026, 2040),
    ];
    let mut cases = Vec::new();
    for (of_root, from, to) in PERIODS {
        let mut root = authority_parameters("Root");
        valid(&mut root, from, to);
        let root = Authority::root_with(root);
        for (of_issuer, from, to) in PERIODS {
            let mut middle = authority_parameters("Middle");
            valid(&mut middle, from, to);
            let middle = root.authority_with(middle);
            for (of_leaf, from, to) in PERIODS {
                let mut leaf = leaf_parameters();
                valid(&mut leaf, from, to);
                let name = format!("dates: leaf {of_leaf}, issuer {of_issuer}, root {of_root}");
                let chain = [middle.leaf_with(&leaf), middle.der.clone()];
                let case = Case::new(name, &[&chain[0], &chain[1]], &[&root.der]);
                cases.push(case.clone());
                if (of_root, of_issuer) == ("good", "good") {
                    // And with another fault beside.
                    leaf.extended_key_usages = vec![ServerAuth];
                    let wrong = middle.leaf_with(&leaf);
                    let name = format!("{}, wrong purpose", case.name);
                    cases.push(Case::new(name, &[&wrong, &middle.der], &[&root.der]));
                    let name = format!("{}, nobody trusted", case.name);
                    let nobody = Authority::root("Nobody");
                    cases.push(Case::new(name, &[&wrong, &middle.der], &[&nobody.der]));
                }
            }
        }
    }
    // To the second.
    let root = Authority::root("Root");
    let leaf = root.leaf();
    for (what, time) in [
        ("second before", 1_735_689_599),
        ("first second", 1_735_689_600),
        ("last second", 1_767_225_600),
        ("second after", 1_767_225_601),
    ] {
        let case = Case::new(format!("dates: {what}"), &[&leaf], &[&root.der]);
        cases.push(Case { time, ..case });
    }
    cases
}

/// Names that authorities may give, of each kind.
fn name_constraints() -> Result<Vec<Case>> {
    use GeneralSubtree::{DirectoryName, DnsName, IpAddress, Rfc822Name};
    let dns = |name: &str| DnsName(name.to_owned());
    let mail = |name: &str| Rfc822Name(name.to_owned());
    let directory = |parts: &[(DnType, &str)]| {
        let mut name = DistinguishedName::new();
        parts
            .iter()
            .for_each(|(kind, value)| name.push(kind.clone(), *value));
        DirectoryName(name)
    };
    let organization = |name| (DnType::OrganizationName, name);
    let common = |name| (DnType::CommonName, name);
    let network = IpAddress(CidrSubnet::from_v4_prefix([10, 1, 0, 0], 16));
    let subtrees: Vec<(&str, Vec<GeneralSubtree>)> = vec![
        ("dns example.org", vec![dns("example.org")]),
        ("dns .example.org", vec![dns(".example.org")]),
        ("dns other.org", vec![dns("other.org")]),
        (
            "dns LEAF.example.org or other.org",
            vec![dns("other.org"), dns("LEAF.example.org")],
        ),
        ("mail example.org", vec![mail("example.org")]),
        ("mail .example.org", vec![mail(".example.org")]),
        ("mail ann@example.org", vec![mail("ann@example.org")]),
        ("mail bob@example.org", vec![mail("bob@example.org")]),
        ("ip 10.1.0.0/16", vec![network]),
        (
            "ip 10.2.0.0/16",
            vec![IpAddress(CidrSubnet::from_v4_prefix([10, 2, 0, 0], 16))],
        ),
        ("dn O=Org", vec![directory(&[organization("Org")])]),
        ("dn O=ORG", vec![directory(&[organization("ORG")])]),
        (
            "dn O=Org,CN=leaf",
            vec![directory(&[organization("Org"), common("leaf")])],
        ),
        ("dn CN=leaf", vec![directory(&[common("leaf")])]),
        ("dn O=Other", vec![directory(&[organization("Other")])]),
        (
            "dns example.org and dn O=Other",
            vec![dns("example.org"), directory(&[organization("Other")])],
        ),
    ];
    let mut leaf = leaf_parameters();
    leaf.distinguished_name = DistinguishedName::new();
    leaf.distinguished_name.push(DnType::OrganizationName, "Org");
    leaf.distinguished_name.push(DnType::CommonName, "leaf");
    leaf.subject_alt_names = vec![
        SanType::DnsName("leaf.example.org".try_into()?),
        SanType::Rfc822Name("ann@example.org".try_into()?),
        SanType::IpAddress([10, 1, 2, 3].into()),
        SanType::URI("spiffe://example.org/leaf".try_into()?),
    ];
    let mut nameless = leaf_parameters();
    nameless.subject_alt_names.clear();
    nameless
        .distinguished_name
        .push(DnType::CommonName, "leaf.example.org");
    let mut cases = Vec::new();
    let root = Authority::root("Root");
    for (what, subtrees) in subtrees {
        for permitted in [true, false] {
            let kind = if permitted { "permitted" } else { "excluded" };
            let mut parameters = authority_parameters("Constrained");
            parameters
                .distinguished_name
                .push(DnType::OrganizationName, "Org");
            let (permitted, excluded) = if permitted {
                (subtrees.clone(), Vec::new())
            } else {
                (Vec::new(), subtrees.clone())
            };
            parameters.name_constraints = Some(NameConstraints {
                permitted_subtrees: permitted,
                excluded_subtrees: excluded,
            });
            let middle = root.authority_with(parameters.clone());
            let chain = [middle.leaf_with(&leaf), middle.der.clone()];
            cases.push(Case::new(
                format!("{kind} {what}"),
                &[&chain[0], &chain[1]],
                &[&root.der],
            ));
            let chain = [middle.leaf_with(&nameless), middle.der.clone()];
            let name = format!("{kind} {what}, common name only");
            cases.push(Case::new(name, &[&chain[0], &chain[1]], &[&root.der]));
            let constrained = Authority::root_with(parameters);
            let name = format!("{kind} {what}, by root");
            cases.push(Case::new(
                name,
                &[&constrained.leaf_with(&leaf)],
                &[&constrained.der],
            ));
        }
    }
    // URIs, for which rcgen has no constraint: [0] or [1] with one subtree, the context tag 6.
    for host in ["example.org", ".example.org", "other.org"] {
        for (kind, list) in [("permitted", 0xa0), ("excluded", 0xa1)] {
            let base = [&[0x86, host.len() as u8], host.as_bytes()].concat();
            let subtree = [&[0x30, base.len() as u8], &base[..]].concat();
            let list = [&[list, subtree.len() as u8], &subtree[..]].concat();
            let value = [&[0x30, list.len() as u8], &list[..]].concat();
            let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 30], value);
            extension.set_criticality(true);
            let mut parameters = authority_parameters("Constrained");
            parameters.custom_extensions.push(extension);
            let middle = root.authority_with(parameters);
            let chain = [middle.leaf_with(&leaf), middle.der.clone()];
            cases.push(Case::new(
                format!("{kind} uri {host}"),
                &[&chain[0], &chain[1]],
                &[&root.der],
            ));
        }
    }
    Ok(cases)
}

/// Authorities of the same name with other keys, cross-signed ones, and names that differ in how they are written.
fn keys_and_names() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let (root, namesake) = (Authority::root("Root"), Authority::root("Root"));
    for with_identifier in [true, false] {
        let mut parameters = leaf_parameters();
        parameters.use_authority_key_identifier_extension = with_identifier;
        let leaf = root.leaf_with(&parameters);
        let mut add = |what: &str, chain: &[&[u8]], anchors: &[&[u8]]| {
            cases.push(Case::new(
                format!("{what}, key identifier {with_identifier}"),
                chain,
                anchors,
            ));
        };
        add("namesake trusted", &[&leaf], &[&namesake.der]);
        add("namesake trusted first", &[&leaf], &[&namesake.der, &root.der]);
        add("namesake trusted last", &[&leaf], &[&root.der, &namesake.der]);
        add(
            "namesake trusted, root sent",
            &[&leaf, &root.der],
            &[&namesake.der],
        );
        add("namesake sent", &[&leaf, &namesake.der], &[&root.der]);
        let old = Authority::root("Old root");
        let crossed = root.cross_signed_by(&old);
        add("cross-signed, old root trusted", &[&leaf, &crossed], &[&old.der]);
        add("cross-signed, new root trusted", &[&leaf, &crossed], &[&root.der]);
        add(
            "cross-signed and new root sent, old trusted",
            &[&leaf, &root.der, &crossed],
            &[&old.der],
        );
        add(
            "cross-signed, both trusted",
            &[&leaf, &crossed],
            &[&old.der, &root.der],
        );
        let mut expired = root.parameters.clone();
        valid(&mut expired, 2020, 2025);
        let expired = root.with_parameters(expired);
        add(
            "expired certificate of the root trusted too",
            &[&leaf],
            &[&expired, &root.der],
        );
        add(
            "expired certificate of the root trusted alone",
            &[&leaf, &root.der],
            &[&expired],
        );
        add(
            "cross-signed, expired root trusted too",
            &[&leaf, &crossed],
            &[&expired, &old.der],
        );
    }
    // A circle of two that sign each other.
    let (one, other) = (Authority::root("One"), Authority::root("Other"));
    let (crossed_one, crossed_other) = (one.cross_signed_by(&other), other.cross_signed_by(&one));
    let leaf = one.leaf();
    cases.push(Case::new(
        "circle",
        &[&leaf, &crossed_one, &crossed_other],
        &[&root.der],
    ));
    cases.push(Case::new(
        "circle, one trusted",
        &[&leaf, &crossed_one, &crossed_other],
        &[&other.der],
    ));
    // The issuer's name as the leaf has it, and as the issuer itself writes it.
    let spellings: [(&str, DnValue); 5] = [
        ("case", DnValue::Utf8String("the ROOT of all".into())),
        ("spaces", DnValue::Utf8String(" The  Root of all ".into())),
        ("type", DnValue::PrintableString("The Root of all".try_into()?)),
        ("bmp", DnValue::BmpString("The Root of all".try_into()?)),
        ("word", DnValue::Utf8String("The Root of al".into())),
    ];
    for (what, value) in spellings {
        let root = Authority::root("The Root of all");
        let mut respelled = root.parameters.clone();
        respelled.distinguished_name = DistinguishedName::new();
        respelled.distinguished_name.push(DnType::CommonName, value);
        let anchor = root.with_parameters(respelled);
        cases.push(Case::new(
            format!("other spelling: {what}"),
            &[&root.leaf()],
            &[&anchor],
        ));
    }
    Ok(cases)
}

/// Leaves and issuers that are trusted as they are.
fn trusted_otherwise() -> Vec<Case> {
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let leaf = middle.leaf();
    let mut cases = vec![
        Case::new("issuer trusted, sent", &[&leaf, &middle.der], &[&middle.der]),
        Case::new("issuer trusted, not sent", &[&leaf], &[&middle.der]),
        Case::new("issuer and root trusted", &[&leaf], &[&middle.der, &root.der]),
        Case::new("leaf trusted", &[&leaf], &[&leaf]),
        Case::new(
            "leaf trusted, whole chain sent",
            &[&leaf, &middle.der, &root.der],
            &[&leaf],
        ),
    ];
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        for (what, from, to) in [("", 2025, 2026), ("expired ", 2020, 2025)] {
            for purpose in [ClientAuth, ServerAuth] {
                let mut parameters = leaf_parameters();
                parameters.is_ca = is_ca.clone();
                parameters.extended_key_usages = vec![purpose.clone()];
                valid(&mut parameters, from, to);
                let leaf = self_signed(&parameters);
                let other = self_signed(&parameters);
                let name = format!("{what}self-signed {is_ca:?} {purpose:?}");
                cases.push(Case::new(format!("{name}, trusted"), &[&leaf], &[&leaf]));
                cases.push(Case::new(format!("{name}, not trusted"), &[&leaf], &[&root.der]));
                cases.push(Case::new(
                    format!("{name}, namesake trusted"),
                    &[&leaf],
                    &[&other],
                ));
                cases.push(Case::new(
                    format!("{name}, trusted, sent twice"),
                    &[&leaf, &leaf],
                    &[&leaf],
                ));
            }
        }
    }
    cases
}

/// Names of servers.
fn host_names() -> Result<Vec<Case>> {
    let names: [&[&str]; 7] = [
        &["a.example.org"],
        &["*.example.org"],
        &["*.org"],
        &["f*.example.org"],
        &["example.org", "*.example.org"],
        &["*.a.example.org"],
        &[],
    ];
    let asked = [
        "a.example.org",
        "A.Example.ORG",
        "foo.example.org",
        "example.org",
        "b.a.example.org",
    ];
    let root = Authority::root("Root");
    let mut cases = Vec::new();
    for names in names {
        let mut parameters = leaf_parameters();
        parameters.extended_key_usages = vec![ServerAuth];
        parameters.subject_alt_names = Vec::new();
        for name in names {
            parameters
                .subject_alt_names
                .push(SanType::DnsName((*name).try_into()?));
        }
        parameters
            .distinguished_name
            .push(DnType::CommonName, "a.example.org");
        let leaf = root.leaf_with(&parameters);
        let case = Case::new(format!("names {names:?}"), &[&leaf], &[&root.der]);
        cases.extend(asked.iter().map(|name| case.asked_for(name)));
    }
    Ok(cases)
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

/// Certificates that were changed after they were signed.
fn damages() -> Vec<Case> {
    let root = Authority::root("Root");
    let middle = root.authority("Middle");
    let leaf = middle.leaf();
    let changed = |der: &[u8], at: usize| {
        let mut der = der.to_vec();
        der[at] ^= 1;
        der
    };
    // The serial number is the first element of the signed part behind the version.
    let serial = leaf
        .windows(3)
        .position(|bytes| bytes == [2, 1, 7])
        .map_or(0, |at| at + 2);
    let bad_signature = changed(&leaf, leaf.len() - 1);
    let bad_serial = changed(&leaf, serial);
    let bad_middle = changed(&middle.der, middle.der.len() - 1);
    let cut = leaf[..leaf.len() - 5].to_vec();
    vec![
        Case::new("signature changed", &[&bad_signature, &middle.der], &[&root.der]),
        Case::new("serial number changed", &[&bad_serial, &middle.der], &[&root.der]),
        Case::new("issuer's signature changed", &[&leaf, &bad_middle], &[&root.der]),
        Case::new(
            "issuer's signature changed, sent as it was, too",
            &[&leaf, &bad_middle, &middle.der],
            &[&root.der],
        ),
        Case::new(
            "issuer's signature changed, nobody trusted",
            &[&leaf, &bad_middle],
            &[&Authority::root("Other").der],
        ),
        Case::new("cut", &[&cut, &middle.der], &[&root.der]),
        Case::new("no certificate", &[b"\x30\x03\x02\x01\x01"], &[&root.der]),
    ]
}
