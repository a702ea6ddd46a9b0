//! Chains made by rcgen: the names of servers, and those that authorities may give.

use anyhow::Result;
use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use rcgen::{
    CidrSubnet, CustomExtension, DistinguishedName, DnType, DnValue, GeneralSubtree, NameConstraints, SanType,
};

use super::case::Case;
use crate::authorities::{Authority, authority_parameters, leaf_parameters};

/// All of them.
pub fn cases() -> Result<Vec<Case>> {
    Ok([name_constraints()?, spellings()?, host_names()?].concat())
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

/// The issuer's name as the leaf has it, and otherwise as the issuer itself writes it.
fn spellings() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
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
