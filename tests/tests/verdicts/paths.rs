//! Chains made by rcgen: what is sent and what is trusted, validities, and damage.

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use rcgen::{BasicConstraints, IsCa};

use super::case::Case;
use crate::authorities::{Authority, authority_parameters, leaf_parameters, self_signed, valid};

/// All of them.
pub fn cases() -> Vec<Case> {
    [depths(), dates(), keys(), trusted_otherwise(), damages()].concat()
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

/// Authorities of the same name with other keys, and cross-signed ones.
fn keys() -> Vec<Case> {
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
    cases
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
                parameters.is_ca = is_ca;
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
