//! A service's log without what differs from run to run: times, process numbers, clients' ports, how long it took.

use serde_json::Value;

/// Digits that make a word or a bracket a time or a number of a process.
const DIGITS_OF_A_TIME: usize = 6;

/// A line as the tables show it.
pub fn plain(line: &str) -> String {
    let line = without_colours(line);
    if let Ok(Value::Object(fields)) = serde_json::from_str(&line)
        && let Some(message) = fields.get("msg").and_then(Value::as_str)
    {
        return message.to_owned();
    }
    let line = without_brackets(&line);
    let words = line.split_whitespace().filter(|word| !is_time(word));
    let words: Vec<String> = words.map(without_port).collect();
    without_durations(words).join(" ")
}

/// Without the escape sequences of terminals.
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// Without brackets around a time or a number.
fn without_brackets(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        match after.split_once(']') {
            Some((inner, behind)) => {
                let is_number = !inner.is_empty() && digits(inner) == inner.len();
                // A level may stand in a bracket with the time.
                let words = inner.split_whitespace().filter(|word| !is_time(word));
                let inner = words.collect::<Vec<_>>().join(" ");
                if !is_number && !inner.is_empty() && digits(&inner) < DIGITS_OF_A_TIME {
                    plain.push_str(&format!("[{inner}]"));
                }
                rest = behind;
            }
            None => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain + rest
}

fn is_time(word: &str) -> bool {
    let is_zone = word == "+0000" || word == "UTC";
    is_zone
        || (digits(word) >= DIGITS_OF_A_TIME && word.contains([':', '-']) && !word.contains('='))
            && !word.starts_with("127.0.0.1")
}

/// `127.0.0.1:38570` as `127.0.0.1`.
fn without_port(word: &str) -> String {
    let Some((before, after)) = word.split_once("127.0.0.1:") else {
        return word.to_owned();
    };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let colon = if rest.len() == after.len() { ":" } else { "" };
    format!("{before}127.0.0.1{colon}{rest}")
}

/// Without words such as `latency=0`, the unit behind them, and numbers of seconds at the end of a line.
fn without_durations(words: Vec<String>) -> Vec<String> {
    let is_latency = |word: &String| word.starts_with("latency=");
    let is_seconds = |word: &String| {
        word.split_once('.').is_some_and(|(whole, part)| {
            digits(whole) == whole.len() && part.len() == DIGITS_OF_A_TIME && digits(part) == part.len()
        })
    };
    let mut plain = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if is_latency(&word) {
            words.next_if(|unit| ["ms", "μs", "s"].contains(&unit.as_str()));
        } else if !is_seconds(&word) {
            plain.push(word);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_changes_from_run_to_run_is_gone() {
        for (line, expected) in [
            (
                "127.0.0.1 - - [21/Nov/2026:16:42:28 +0000] \"GET /orders HTTP/1.1\" 200 236 \"-\" \"-\"",
                "127.0.0.1 - - \"GET /orders HTTP/1.1\" 200 236 \"-\" \"-\"",
            ),
            (
                "[2026-11-21 16:42:29 +0000] [7578] [WARNING] Invalid request from ip=127.0.0.1: [SSL] ASN1 lib",
                "[WARNING] Invalid request from ip=127.0.0.1: [SSL] ASN1 lib",
            ),
            (
                "INFO:     127.0.0.1:38570 - \"GET /orders HTTP/1.1\" 200 OK",
                "INFO: 127.0.0.1 - \"GET /orders HTTP/1.1\" 200 OK",
            ),
            (
                "{\"level\":30,\"time\":1790000000000,\"pid\":7,\"msg\":\"GET /orders 200\"}",
                "GET /orders 200",
            ),
            (
                "[2026-11-21T16:42:28Z INFO  actix_web::middleware::logger] 127.0.0.1 \"GET /orders HTTP/1.1\" 200 94 \"-\" \"-\" 0.000131",
                "[INFO actix_web::middleware::logger] 127.0.0.1 \"GET /orders HTTP/1.1\" 200 94 \"-\" \"-\"",
            ),
            (
                "\x1b[2m2026-11-21T16:42:28.533647Z\x1b[0m \x1b[32m INFO\x1b[0m on_response: finished latency=0 ms status=200",
                "INFO on_response: finished status=200",
            ),
        ] {
            assert_eq!(plain(line), expected);
        }
    }
}
