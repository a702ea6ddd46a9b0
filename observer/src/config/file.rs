//! The configuration file (TOML).

use toml::de::DeTable;

use super::settings::Settings;

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct FileError {
    /// Line, counted from 1; absent when the parser could not tell.
    pub line: Option<usize>,
    /// What is wrong, the key named.
    pub message: String,
}

/// Reads the settings in `text`.
///
/// # Errors
/// Broken TOML, unknown keys and values of the wrong type or range, each with its line and key.
pub fn parse(text: &str) -> Result<Settings, FileError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map(|span| span.start);
        let message = error.message().replace('\n', " ");
        let message = match start.and_then(|at| key_of_value_at(text, at)) {
            Some(key) => format!("{key}: {message}"),
            None => message,
        };
        let line = start.map(|at| {
            text.as_bytes()
                .iter()
                .take(at)
                .filter(|byte| **byte == b'\n')
                .count()
                + 1
        });
        FileError { line, message }
    })
}

/// The key within whose value byte `at` stands, with those of the tables around it: `trust.port`. Unknown keys name
/// themselves in the message: there `at` is in the key, and this finds nothing.
fn key_of_value_at(text: &str, at: usize) -> Option<String> {
    key_within(DeTable::parse(text).ok()?.get_ref(), at)
}

fn key_within(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let key = key.get_ref();
        // The span of a list of tables is not that of what is in them.
        let tables = value.get_ref().as_array().into_iter().flatten();
        let inner = tables
            .filter_map(|item| item.get_ref().as_table())
            .find_map(|table| key_within(table, at));
        match inner {
            Some(inner) => Some(format!("{key}.{inner}")),
            None => value.span().contains(&at).then(|| key.to_string()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.line.unwrap(), error.message)
    }

    #[test]
    fn a_whole_file() {
        let settings = parse(
            "interface = [\"eth0\"]\nring_bytes = \"8MiB\"\nqueue = 10\ncertificate_chain = true\n\
             output = [\"file:/var/log/tls.json\"]\n\
             [[service]]\nname = \"api\"\naddress = \"10.0.0.1:8443\"\n[[service]]\nname = \"mail\"\nport = 465\n",
        )
        .unwrap();
        assert_eq!(settings.ring_bytes.unwrap().0, 8 << 20);
        assert_eq!(settings.queue.unwrap().0, 10);
        assert_eq!(settings.service.unwrap().len(), 2);
        assert!(settings.cgroup.is_none());
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let (line, message) = error("listen = \"off\"\n\nring_size = 1\n");
        assert_eq!(line, 3);
        assert!(message.contains("unknown field `ring_size`"), "{message}");
        let (line, message) = error("[[service]]\nname = \"x\"\nports = 1\n");
        assert_eq!(line, 3);
        assert!(message.contains("`ports`"), "{message}");
    }

    #[test]
    fn wrong_values_name_their_key_and_line() {
        let (line, message) = error("\nring_bytes = 5000\n");
        assert_eq!(line, 2);
        assert!(
            message.starts_with("ring_bytes: ") && message.contains("power of two"),
            "{message}"
        );
        let (_, message) = error("queue = true\n");
        assert!(message.starts_with("queue: "), "{message}");
        let (line, message) = error("output = [\n  \"stdout\",\n  \"kafka:x\",\n]\n");
        assert_eq!(line, 3);
        assert!(message.starts_with("output: "), "{message}");
        let (_, message) = error("[[service]]\nname = \"x\"\n");
        assert!(message.contains("service: a service takes either"), "{message}");
    }

    #[test]
    fn broken_toml_has_a_line_and_stays_on_one() {
        let (line, message) = error("listen = \"off\"\nqueue = = 3\n");
        assert_eq!(line, 2);
        assert!(!message.contains('\n'));
    }
}
