//! Events as JSON lines.

use std::io::Write;

use super::event::{Event, EventOptions};
use super::queue::Render;
use crate::observation::Observation;

/// Writes each event as one line of JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLines {
    /// What the events contain.
    pub options: EventOptions,
}

impl Render for JsonLines {
    fn render(&mut self, seen: &Observation, line: &mut Vec<u8>) {
        let start = line.len();
        // Neither writing to memory nor these types can fail; should one ever, a broken line must not go out.
        match serde_json::to_writer(&mut *line, &Event::new(seen, self.options)) {
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
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}
