//! One line a handshake message or plaintext alert, for `replay --messages`.

mod json;
mod text;

#[cfg(test)]
mod tests;

use crate::observation::MessageSeen;

/// Writes messages as lines.
#[derive(Clone, Copy, Debug)]
pub struct MessageLines {
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Text { color: bool },
}

impl MessageLines {
    /// One JSON object a line. Numbers of registries are numbers, GREASE included; what is not there is absent.
    pub fn json() -> Self {
        Self { form: Form::Json }
    }

    /// Columns for people.
    pub fn text(color: bool) -> Self {
        Self {
            form: Form::Text { color },
        }
    }

    /// Appends the line of `seen` to `out`; nothing for what is neither a handshake message nor a plaintext alert.
    pub fn line(&mut self, seen: &MessageSeen<'_>, out: &mut Vec<u8>) {
        match self.form {
            Form::Json => json::line(seen, out),
            Form::Text { color } => text::line(seen, color, out),
        }
    }
}
