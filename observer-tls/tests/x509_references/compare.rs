//! Facts held against a row of the references.

use std::fmt::{self, Display, Formatter};

use observer_tls::x509::CertificateFacts;

use super::names;
use super::rows::Row;

/// A field that differs from every reference that has it.
pub struct Difference {
    pub name: String,
    pub field: &'static str,
    pub ours: String,
    pub theirs: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            field,
            ours,
            theirs,
        } = self;
        write!(f, "{name}: {field}: {ours:?} here, {theirs:?} there")
    }
}

/// All differences of `facts` from the row's references. Where a library does not read a field, it has no say.
pub fn differences(row: &Row, facts: &CertificateFacts) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut check = |field, ours: String, theirs: &[Option<&str>], equal: &dyn Fn(&str, &str) -> bool| {
        let theirs: Vec<&str> = theirs.iter().copied().flatten().collect();
        if !theirs.is_empty() && !theirs.iter().any(|theirs| equal(&ours, theirs)) {
            differences.push(Difference {
                name: row.name().to_owned(),
                field,
                ours,
                theirs: theirs.join(" | "),
            });
        }
    };
    let same = |ours: &str, theirs: &str| ours == theirs;

    check(
        "version",
        facts.version.to_string(),
        &[row.pyca("version")],
        &same,
    );
    let serial = without_leading_zeros(&facts.serial_number);
    check("serial_hex", serial, &[row.pyca("serial_hex")], &same);
    let subjects = [row.pyca("subject_rfc4514"), row.openssl("openssl_subject")];
    check(
        "subject_rfc4514",
        facts.subject.clone(),
        &subjects,
        &names::are_equal,
    );
    let issuers = [row.pyca("issuer_rfc4514"), row.openssl("openssl_issuer")];
    check(
        "issuer_rfc4514",
        facts.issuer.clone(),
        &issuers,
        &names::are_equal,
    );
    for (field, time) in [("not_before", facts.not_before), ("not_after", facts.not_after)] {
        let ours = time.map_or_else(|| "none".to_owned(), |seconds| seconds.to_string());
        check(field, ours, &[row.pyca(field)], &|ours, theirs| {
            ours == unix_seconds(theirs).to_string()
        });
    }
    check(
        "sig_oid",
        facts.signature_algorithm.clone(),
        &[row.pyca("sig_oid")],
        &|ours, oid| ours == oid || signature_names(oid).contains(&ours),
    );
    check("key", key(facts), &[row.pyca("key")], &same);
    check(
        "san_dns",
        facts.dns_names.join(","),
        &[row.pyca("san_dns")],
        &same,
    );
    check(
        "san_ip",
        facts.ip_addresses.join(","),
        &[row.pyca("san_ip")],
        &same,
    );
    // An empty cell: there is no basicConstraints.
    let is_ca = if facts.is_ca { "True" } else { "False" };
    check(
        "is_ca",
        is_ca.to_owned(),
        &[row.pyca("is_ca")],
        &|ours, theirs| ours == theirs || (ours == "False" && theirs.is_empty()),
    );
    let self_issued = if facts.self_issued { "True" } else { "False" };
    check(
        "self_issued",
        self_issued.to_owned(),
        &[row.pyca("self_issued")],
        &same,
    );

    let malformed = facts.malformed.clone().unwrap_or_else(|| "none".to_owned());
    let fault = row.is_refused().then_some("a reason");
    check("malformed", malformed.clone(), &[fault], &|ours, _| {
        ours != "none"
    });
    let fault = row.is_sound().then_some("none");
    check("malformed", malformed, &[fault], &same);
    differences
}

fn without_leading_zeros(serial: &str) -> String {
    let (sign, magnitude) = match serial.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", serial),
    };
    let significant = magnitude.trim_start_matches('0').to_ascii_lowercase();
    let shown = if significant.is_empty() && !magnitude.is_empty() {
        "0"
    } else {
        &significant
    };
    format!("{sign}{shown}")
}

/// Seconds since the Unix epoch of a time as "2010-01-01T08:30:00Z".
fn unix_seconds(time: &str) -> i64 {
    let numbers: Vec<i64> = time
        .split(['-', 'T', ':', 'Z'])
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().unwrap())
        .collect();
    let [year, month, day, hour, minute, second] = numbers[..] else {
        panic!("not a time: {time}")
    };
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days = day - 1;
    days += (1970..year)
        .map(|year| 365 + i64::from(is_leap(year)))
        .sum::<i64>();
    days -= (year..1970)
        .map(|year| 365 + i64::from(is_leap(year)))
        .sum::<i64>();
    let february = 28 + i64::from(is_leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months[..month as usize - 1].iter().sum::<i64>();
    days * 86_400 + hour * 3_600 + minute * 60 + second
}

fn signature_names(oid: &str) -> &'static [&'static str] {
    match oid {
        "1.2.840.113549.1.1.2" => &["MD2-RSA"],
        "1.2.840.113549.1.1.4" => &["MD5-RSA"],
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => &["SHA1-RSA"],
        "1.2.840.113549.1.1.10" => &[
            "SHA1-RSAPSS",
            "SHA224-RSAPSS",
            "SHA256-RSAPSS",
            "SHA384-RSAPSS",
            "SHA512-RSAPSS",
        ],
        "1.2.840.113549.1.1.11" => &["SHA256-RSA"],
        "1.2.840.113549.1.1.12" => &["SHA384-RSA"],
        "1.2.840.113549.1.1.13" => &["SHA512-RSA"],
        "1.2.840.10040.4.3" => &["DSA-SHA1"],
        "1.2.840.10045.4.1" => &["ECDSA-SHA1"],
        "1.2.840.10045.4.3.2" => &["ECDSA-SHA256"],
        "1.2.840.10045.4.3.3" => &["ECDSA-SHA384"],
        "1.2.840.10045.4.3.4" => &["ECDSA-SHA512"],
        "1.3.101.112" => &["Ed25519"],
        "1.3.101.113" => &["Ed448"],
        "2.16.840.1.101.3.4.3.2" => &["DSA-SHA256"],
        "2.16.840.1.101.3.4.3.17" => &["ML-DSA-44"],
        "2.16.840.1.101.3.4.3.18" => &["ML-DSA-65"],
        "2.16.840.1.101.3.4.3.19" => &["ML-DSA-87"],
        _ => &[],
    }
}

/// The key as the references write it.
fn key(facts: &CertificateFacts) -> String {
    let size = facts
        .public_key_size
        .map(|size| size.to_string())
        .unwrap_or_default();
    match (
        facts.public_key_algorithm.as_str(),
        facts.public_key_curve.as_deref(),
    ) {
        ("RSA", _) => format!("rsa{size}"),
        ("ECDSA", Some(curve)) => match curve {
            "P-192" => "ec-secp192r1".to_owned(),
            "P-224" => "ec-secp224r1".to_owned(),
            "P-256" => "ec-secp256r1".to_owned(),
            "P-384" => "ec-secp384r1".to_owned(),
            "P-521" => "ec-secp521r1".to_owned(),
            other => format!("ec-{other}"),
        },
        (other, _) => format!("{}PublicKey", other.replace('-', "")),
    }
}
