//! What tshark tells of a capture: its PDML, which alone of its formats keeps the order of messages and of lists.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::message::{Direction, Kind, Message, Messages};
use crate::process;

/// Preferences: put streams together as far as it goes, whatever checksums say.
const PREFERENCES: [&str; 6] = [
    "tcp.desegment_tcp_streams:TRUE",
    "tcp.reassemble_out_of_order:TRUE",
    "tcp.check_checksum:FALSE",
    "ip.defragment:TRUE",
    "tls.desegment_ssl_records:TRUE",
    "tls.desegment_ssl_application_data:TRUE",
];
/// Packets that are of interest.
const FILTER: &str = "tcp && (tls.handshake.type || tls.alert_message.level)";
/// Protocols that are to be told of.
const PROTOCOLS: &str = "ip ipv6 tcp tls";

/// What `tshark --version` says first.
pub fn version() -> Result<String> {
    let text = process::output_of("tshark", &["--version"]).context("tshark --version")?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The messages in a capture.
pub fn messages(capture: &Path) -> Result<Messages> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "pdml", "-J", PROTOCOLS, "-Y", FILTER]);
    for preference in PREFERENCES {
        command.args(["-o", preference]);
    }
    let mut child = command
        .arg("-r")
        .arg(capture)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("tshark")?;
    let stdout = child.stdout.take().context("stdout is not piped")?;
    let found = parse(BufReader::new(stdout));
    // A damaged file ends it with an error, after all that came before the damage.
    child.wait().context("tshark")?;
    found
}

/// What is known of the packet at hand.
#[derive(Default)]
struct Packet {
    /// Of the innermost IP header so far.
    addresses: [Option<IpAddr>; 2],
    ports: [Option<u16>; 2],
}

impl Packet {
    fn direction(&self) -> Option<Direction> {
        let [source, destination] = self.addresses;
        let [from, to] = self.ports;
        Some(Direction {
            source: (source?, from?),
            destination: (destination?, to?),
        })
    }
}

/// Reads PDML.
fn parse(input: impl BufRead) -> Result<Messages> {
    let mut reader = Reader::from_reader(input);
    let mut found = Messages::new();
    let mut packet = Packet::default();
    // Names of the elements that are open.
    let mut open: Vec<String> = Vec::new();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).context("tshark's PDML")?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            // tshark ends in mid-file when the capture is damaged.
            Event::Eof => return Ok(found),
            _ => continue,
        };
        if element.name().as_ref() == "packet" {
            packet = Packet::default();
        }
        let attributes = Attributes::read(element)?;
        if let Some(message) = attributes.begins(&open)
            && let Some(direction) = packet.direction()
        {
            found.entry(direction).or_default().push(message);
        } else if attributes.is_of_packet() {
            attributes.put_into_packet(&mut packet)?;
        } else if let Some(direction) = packet.direction()
            && let Some(message) = found.get_mut(&direction).and_then(|messages| messages.last_mut())
            && open.iter().any(|name| name == "tls")
        {
            attributes.put_into_message(message)?;
        }
        if !is_empty {
            open.push(attributes.name);
        }
    }
}

/// The attributes of an element that matter.
#[derive(Default)]
struct Attributes {
    name: String,
    show: String,
    value: String,
}

impl Attributes {
    fn read(element: &BytesStart<'_>) -> Result<Self> {
        let mut found = Self::default();
        for attribute in element.attributes() {
            let attribute = attribute.context("tshark's PDML")?;
            let slot = match attribute.key.as_ref() {
                "name" => &mut found.name,
                "show" => &mut found.show,
                "value" => &mut found.value,
                _ => continue,
            };
            *slot = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
        }
        Ok(found)
    }

    /// The message that this element begins, inside of those that are `open`.
    fn begins(&self, open: &[String]) -> Option<Message> {
        let kind = match self.name.as_str() {
            // In the old format the type stands in the record itself.
            "tls.handshake.type" if !open.iter().any(|name| name == "tls.handshake") => Kind::Ssl2,
            "tls.handshake.type" => Kind::Handshake(self.show.parse().ok()?),
            "tls.alert_message.level" => Kind::Alert,
            _ => return None,
        };
        let fields = match kind {
            Kind::Alert => BTreeMap::from([("alert_level", number(&self.show).ok()?)]),
            _ => BTreeMap::new(),
        };
        Some(Message { kind, fields })
    }

    fn is_of_packet(&self) -> bool {
        ["ip.", "ipv6.", "tcp."]
            .iter()
            .any(|protocol| self.name.starts_with(protocol))
    }

    fn put_into_packet(&self, packet: &mut Packet) -> Result<()> {
        let [source, destination] = &mut packet.addresses;
        let [from, to] = &mut packet.ports;
        match self.name.as_str() {
            "ip.src" | "ipv6.src" => *source = Some(self.show.parse()?),
            "ip.dst" | "ipv6.dst" => *destination = Some(self.show.parse()?),
            "tcp.srcport" => *from = Some(self.show.parse()?),
            "tcp.dstport" => *to = Some(self.show.parse()?),
            _ => {}
        }
        Ok(())
    }

    fn put_into_message(&self, message: &mut Message) -> Result<()> {
        // Of the format of SSL 2.0 only that there is a message is compared.
        if message.kind == Kind::Ssl2 {
            return Ok(());
        }
        let (field, value) = match self.name.as_str() {
            "tls.handshake.length" => ("length", number(&self.show)?),
            "tls.handshake.random" => ("random", json!(self.value)),
            "tls.handshake.session_id" => ("session_id", json!(self.value)),
            "tls.handshake.extensions_server_name" => ("server_name", json!(self.show)),
            "tls.handshake.ja3" => ("ja3", json!(self.show)),
            "tls.handshake.ja3s" => ("ja3s", json!(self.show)),
            "tls.handshake.ja4" => ("ja4", json!(self.show)),
            "tls.alert_message.desc" => ("alert_code", number(&self.show)?),
            "tls.handshake.ciphersuite" => return push(message, "ciphers", number(&self.show)?),
            "tls.handshake.extension.type" => return push(message, "extensions", number(&self.show)?),
            "tls.handshake.extensions_alpn_str" => return push(message, "alpn", json!(self.show)),
            "tls.handshake.extensions_supported_group" => {
                return push(message, "groups", number(&self.show)?);
            }
            "tls.handshake.extensions_key_share_group"
            | "tls.handshake.extensions_key_share_selected_group" => {
                return push(message, "key_shares", number(&self.show)?);
            }
            "tls.handshake.extensions.supported_version" => {
                return push(message, "supported_versions", number(&self.show)?);
            }
            "tls.handshake.certificate" => {
                return push(message, "certificates_sha256", json!(fingerprint(&self.value)?));
            }
            _ => return Ok(()),
        };
        // The first counts: what comes later is inside of something else.
        message.fields.entry(field).or_insert(value);
        Ok(())
    }
}

/// Appends to a list.
fn push(message: &mut Message, field: &'static str, value: Value) -> Result<()> {
    match message.fields.entry(field).or_insert_with(|| json!([])) {
        Value::Array(list) => list.push(value),
        _ => bail!("{field} is no list"),
    }
    Ok(())
}

/// A number as tshark shows it: decimal, or hexadecimal with 0x.
fn number(show: &str) -> Result<Value> {
    let number = match show.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => show.parse(),
    };
    Ok(json!(number.with_context(|| format!("tshark's number {show}"))?))
}

/// SHA-256 of bytes that are given in hexadecimal, likewise.
fn fingerprint(hex: &str) -> Result<String> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair)?;
        Ok(u8::from_str_radix(digits, 16)?)
    });
    let bytes: Vec<u8> = pairs.collect::<Result<_>>().context("tshark's certificate")?;
    Ok(Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"<?xml version="1.0"?><pdml><packet>
        <proto name="ip"><field name="ip.src" show="10.0.0.1"/><field name="ip.dst" show="10.0.0.2"/></proto>
        <proto name="ip"><field name="ip.src" show="192.0.2.1"/><field name="ip.dst" show="192.0.2.2"/></proto>
        <proto name="tcp"><field name="tcp.srcport" show="4000"/><field name="tcp.dstport" show="443"/></proto>"#;

    fn messages(tls: &str) -> Vec<Message> {
        let text = format!("{HEAD}<proto name=\"tls\">{tls}</proto></packet></pdml>");
        let found = parse(text.as_bytes()).expect("PDML");
        let (direction, messages) = found.into_iter().next().expect("a direction");
        assert_eq!(
            direction.to_string(),
            "192.0.2.1.4000 > 192.0.2.2.443",
            "the innermost header counts"
        );
        messages
    }

    #[test]
    fn messages_keep_their_order_and_lists_theirs() {
        let found = messages(
            r#"<field name="tls.record"><field name="tls.handshake">
                 <field name="tls.handshake.type" show="1"/><field name="tls.handshake.length" show="77"/>
                 <field name="tls.handshake.random" show="aa:bb" value="aabb"/>
                 <field name="tls.handshake.ciphersuites"><field name="tls.handshake.ciphersuite" show="0x1302"/>
                   <field name="tls.handshake.ciphersuite" show="0x0a0a"/></field>
                 <field name=""><field name="tls.handshake.extension.type" show="43"/></field>
                 <field name="tls.handshake.extensions_alpn_str" show="a&quot;b"/>
               </field></field>
               <field name="tls.record"><field name="tls.alert_message">
                 <field name="tls.alert_message.level" show="2"/><field name="tls.alert_message.desc" show="48"/>
               </field></field>"#,
        );
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].kind, found[1].kind), (Kind::Handshake(1), Kind::Alert));
        let hello = &found[0].fields;
        assert_eq!((&hello["length"], &hello["random"]), (&json!(77), &json!("aabb")));
        assert_eq!(
            (&hello["ciphers"], &hello["extensions"]),
            (&json!([0x1302, 0x0a0a]), &json!([43]))
        );
        assert_eq!(hello["alpn"], json!(["a\"b"]));
        assert_eq!(
            (&found[1].fields["alert_level"], &found[1].fields["alert_code"]),
            (&json!(2), &json!(48))
        );
    }

    #[test]
    fn certificates_are_told_by_their_hash() {
        let found = messages(
            r#"<field name="tls.handshake"><field name="tls.handshake.type" show="11"/>
               <field name="tls.handshake.certificate" value="616263"/></field>"#,
        );
        // The digest of "abc" in FIPS 180-4's examples.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(found[0].fields["certificates_sha256"], json!([digest]));
    }

    #[test]
    fn messages_in_the_format_of_ssl2_are_told_by_their_place() {
        let found = messages(
            r#"<field name="tls.record"><field name="tls.handshake.type" show="1"/>
               <field name="tls.handshake.length" show="9"/></field>"#,
        );
        assert_eq!((found[0].kind, found[0].fields.len()), (Kind::Ssl2, 0));
    }
}
