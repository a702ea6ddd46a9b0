//! Why bytes could not be parsed.

use std::fmt;

/// What was wrong, and in which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParseError {
    /// The message, or the vector the field is in, ended too early.
    Short {
        /// The field that was being read.
        field: &'static str,
        /// Bytes the field needs.
        needed: usize,
        /// Bytes that were left.
        available: usize,
    },
    /// Bytes were left over where the structure ends.
    Trailing {
        /// The structure that should have ended.
        field: &'static str,
        /// How many bytes were left.
        count: usize,
    },
    /// The field has a value or length its definition does not allow.
    Invalid {
        /// The field.
        field: &'static str,
        /// What the definition asks for.
        why: &'static str,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short {
                field,
                needed,
                available,
            } => {
                write!(f, "{field}: {needed} bytes needed, {available} left")
            }
            Self::Trailing { field, count } => write!(f, "{field}: {count} bytes too many"),
            Self::Invalid { field, why } => write!(f, "{field}: {why}"),
        }
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_field_and_cause() {
        let short = ParseError::Short {
            field: "session_id",
            needed: 32,
            available: 3,
        };
        assert_eq!(short.to_string(), "session_id: 32 bytes needed, 3 left");
        let trailing = ParseError::Trailing {
            field: "ServerHelloDone",
            count: 1,
        };
        assert_eq!(trailing.to_string(), "ServerHelloDone: 1 bytes too many");
    }
}
