//! Events as JSON lines.

mod leaves;
pub mod writer;

use std::io::Write;

use super::event::certificate::AnyLeaf;
use super::event::{Event, EventOptions};
use super::queue::Render;
use crate::observation::Observation;
use leaves::Leaves;

/// Writes each event as one line of JSON.
#[derive(Debug, Default)]
pub struct JsonLines {
    options: EventOptions,
    leaves: Leaves,
}

impl JsonLines {
    /// Events with what `options` say.
    pub fn new(options: EventOptions) -> Self {
        Self {
            options,
            leaves: Leaves::default(),
        }
    }
}

impl Render for JsonLines {
    fn render(&mut self, seen: &Observation, line: &mut Vec<u8>) {
        let start = line.len();
        let mut leaf = |chain: &[_]| chain.first().and_then(|facts| self.leaves.of(facts));
        let (client, server) = (leaf(&seen.client_chain), leaf(&seen.server_chain));
        let mut event = Event::new(seen, self.options);
        if let Some(client) = &client {
            event.tls.client.leaf = Some(AnyLeaf::Written(client));
        }
        if let Some(server) = &server {
            event.tls.server.leaf = Some(AnyLeaf::Written(server));
        }
        // Neither writing to memory nor these types can fail; should one ever, a broken line must not go out.
        match writer::write(&event, line) {
            Ok(()) => line.push(b'\n'),
            Err(error) => {
                line.truncate(start);
                let _ = writeln!(line, "{{\"error\":{{\"message\":{:?}}}}}", error.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples;

    #[test]
    fn one_object_a_line_in_the_order_of_the_schema() {
        let mut lines = Vec::new();
        for seen in samples::all() {
            JsonLines::default().render(&seen, &mut lines);
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
                lines.render(seen, &mut line);
                let wanted = serde_json::to_string(&Event::new(seen, options)).unwrap();
                assert_eq!(String::from_utf8(line).unwrap(), wanted + "\n");
            }
        }
    }
}
