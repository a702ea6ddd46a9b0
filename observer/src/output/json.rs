//! Events as JSON lines.

pub mod writer;
mod written;

use std::io::Write;

use super::event::burst::BurstEvent;
use super::event::certificate::{AnyLeaf, Leaf, WrittenLeaf};
use super::event::new_certificate::NewCertificateEvent;
use super::event::offer::{Part, WrittenOffer};
use super::event::{Event, EventOptions};
use super::queue::Render;
use crate::observation::{ClientOffer, Observation};
use crate::report::Report;
use observer_tls::x509::CertificateFacts;
use serde::Serialize;
use written::Written;

/// Writes each event as one line of JSON.
#[derive(Debug, Default)]
pub struct JsonLines {
    options: EventOptions,
    leaves: Written<CertificateFacts, WrittenLeaf>,
    offers: Written<ClientOffer, WrittenOffer>,
    /// Scratch space.
    client: String,
}

impl JsonLines {
    /// Events with what `options` say.
    pub fn new(options: EventOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    fn observation(&mut self, seen: &Observation, line: &mut Vec<u8>) {
        let mut leaf = |chain: &[_]| chain.first().and_then(|facts| self.leaves.of(facts, write_leaf));
        let (client, server) = (leaf(&seen.client_chain), leaf(&seen.server_chain));
        let offer = (seen.offer.as_ref()).and_then(|offer| self.offers.of(offer, write_offer));
        let mut event = Event::new(seen, self.options);
        if let Some(client) = &client {
            event.tls.client.leaf = Some(AnyLeaf::Written(client));
        }
        if let Some(server) = &server {
            event.tls.server.leaf = Some(AnyLeaf::Written(server));
        }
        if let Some(offer) = &offer {
            event.tls.client.supported_ciphers = offer.ciphers.as_deref().map(Part::Written);
            self.client.clear();
            offer.client(&seen.extensions, &mut self.client);
            event.handshake.client = Some(Part::Written(&self.client));
        }
        write(&event, line);
    }
}

impl Render for JsonLines {
    fn render(&mut self, report: &Report, line: &mut Vec<u8>) {
        match report {
            Report::Observation(seen) => self.observation(seen, line),
            Report::RefusalBurst(burst) => write(&BurstEvent::new(burst), line),
            Report::NewCertificate(new) => write(&NewCertificateEvent::new(new), line),
        }
    }
}

/// Appends `value` as a line.
pub(super) fn write(value: &impl Serialize, line: &mut Vec<u8>) {
    let start = line.len();
    // Neither writing to memory nor these types can fail; should one ever, a broken line must not go out.
    match writer::write(value, line) {
        Ok(()) => line.push(b'\n'),
        Err(error) => {
            line.truncate(start);
            let _ = writeln!(line, "{{\"error\":{{\"message\":{:?}}}}}", error.to_string());
        }
    }
}

fn write_leaf(facts: &CertificateFacts) -> Option<(WrittenLeaf, usize)> {
    let written = WrittenLeaf::new(&Leaf::new(facts))?;
    let bytes = written.size() + facts.der.len();
    Some((written, bytes))
}

fn write_offer(offer: &ClientOffer) -> Option<(WrittenOffer, usize)> {
    let written = WrittenOffer::new(offer)?;
    let bytes = 2 * written.size();
    Some((written, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn one_object_a_line_in_the_order_of_the_schema() {
        let mut lines = Vec::new();
        for seen in samples::all() {
            JsonLines::default().observation(&seen, &mut lines);
        }
        let text = String::from_utf8(lines).unwrap();
        assert_eq!(text.lines().count(), samples::all().len());
        for line in text.lines() {
            assert!(
                line.starts_with(r#"{"@timestamp":"2023-11-14T22:13:20.123456Z","event":{"kind":"#),
                "{line}"
            );
        }
    }

    #[test]
    fn lines_are_what_serde_json_makes_of_events() {
        for certificate_chain in [false, true] {
            let options = EventOptions { certificate_chain };
            let mut lines = JsonLines::new(options);
            // Twice: leaves are written once.
            for seen in samples::all().iter().chain(&samples::all()) {
                let mut line = Vec::new();
                lines.observation(seen, &mut line);
                let wanted = serde_json::to_string(&Event::new(seen, options)).unwrap();
                assert_eq!(String::from_utf8(line).unwrap(), wanted + "\n");
            }
        }
    }
}
