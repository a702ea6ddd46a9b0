//! GnuTLS.

use serde_json::Value;

use super::feature::Feature::{
    Alpn, Closes, Crl, Group, Idles, NoTickets, OnlyName, PostHandshakeAuth, Resume, SpeaksFirst, Suite12,
    Suite13, Tickets, UpdatesKey,
};
use super::program::{Form, Program, built};

/// GnuTLS. It pads application data only.
pub const GNUTLS: Program = Program {
    name: "gnutls",
    command: || built("gnutls-peer"),
    server: &[
        Crl,
        NoTickets,
        Tickets,
        Suite12,
        Suite13,
        Group,
        Alpn,
        PostHandshakeAuth,
        OnlyName,
        SpeaksFirst,
        Closes,
    ],
    client: &[
        Suite12,
        Suite13,
        Group,
        Alpn,
        PostHandshakeAuth,
        Resume,
        Closes,
        Idles,
        UpdatesKey,
    ],
    rename,
    form: Form::Pairs,
    configure: None,
};

/// Puts version, cipher suite and group together as a priority string.
fn rename(plan: &mut Value) {
    let mut priority = "NORMAL".to_owned();
    if let Some(version) = plan["version"].as_str() {
        priority += &format!(":-VERS-ALL:+VERS-TLS{version}");
    }
    if let Some(suite) = plan["cipher"].as_str() {
        priority += &suite_priority(suite);
    }
    if let Some(group) = plan["group"].as_str() {
        priority += &format!(":-GROUP-ALL:+GROUP-{}", group.to_uppercase());
    }
    plan["priority"] = priority.into();
}

/// The part of a priority string that leaves one suite, from its IANA name.
fn suite_priority(iana: &str) -> String {
    let (exchange, cipher) = match iana.split_once("_WITH_") {
        None => (None, iana.trim_start_matches("TLS_")),
        Some((exchange, cipher)) => (Some(exchange.trim_start_matches("TLS_")), cipher),
    };
    let exchange = exchange.map(|name| format!(":-KX-ALL:+{}", name.replace('_', "-")));
    let (cipher, hash) = match cipher.rsplit_once("_SHA") {
        Some((cipher, hash)) => (cipher.replace('_', "-"), hash),
        None => (cipher.replace('_', "-"), ""),
    };
    let authentication = match (cipher.ends_with("-CBC"), hash) {
        (false, _) => "AEAD".to_owned(),
        (true, "") => "SHA1".to_owned(),
        (true, hash) => format!("SHA{hash}"),
    };
    format!(
        "{}:-CIPHER-ALL:+{cipher}:-MAC-ALL:+{authentication}",
        exchange.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_becomes_a_priority_string() {
        for (version, cipher, group, expected) in [
            (None, None, None, "NORMAL"),
            (
                Some("1.3"),
                Some("TLS_AES_128_CCM_8_SHA256"),
                Some("x25519"),
                "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519",
            ),
            (
                Some("1.2"),
                Some("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
                None,
                "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA384",
            ),
            (
                None,
                Some("TLS_RSA_WITH_AES_128_CBC_SHA"),
                None,
                "NORMAL:-KX-ALL:+RSA:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA1",
            ),
            (
                None,
                Some("TLS_CHACHA20_POLY1305_SHA256"),
                None,
                "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305:-MAC-ALL:+AEAD",
            ),
        ] {
            let mut plan = json!({ "version": version, "cipher": cipher, "group": group });
            rename(&mut plan);
            assert_eq!(plan["priority"], expected);
        }
    }
}
