//! Columns and colors of what people read at a terminal.

use std::fmt::Write;
use std::net::SocketAddr;

/// Width of an address with its port, in characters.
pub const ADDRESS: usize = 21;

/// It went well.
pub const GREEN: &str = "\x1b[32m";
/// It went wrong.
pub const RED: &str = "\x1b[31m";
/// To be looked at.
pub const YELLOW: &str = "\x1b[33m";
/// Of less interest.
pub const DIM: &str = "\x1b[2m";
/// A title.
pub const BOLD: &str = "\x1b[1m";
/// Ends a color.
pub const RESET: &str = "\x1b[0m";

/// The text of an address.
pub fn endpoint(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

/// An address in its column. Of one that is too long the end is kept, where the port is.
pub fn address(line: &mut String, text: &str) {
    match text.len().checked_sub(ADDRESS) {
        // Writing to a string cannot fail.
        None | Some(0) => drop(write!(line, "{text:<ADDRESS$}")),
        Some(excess) => {
            line.push('…');
            line.push_str(text.get(excess + 1..).unwrap_or_default());
        }
    }
}

/// `text` in a column `width` wide and a space. Where it is too long, an ellipsis stands at its end.
pub fn cell(line: &mut String, text: &str, width: usize) {
    let length = text.chars().count();
    if length > width {
        line.extend(text.chars().take(width - 1).map(shown));
        line.push('…');
    } else {
        line.extend(text.chars().map(shown));
        line.extend(std::iter::repeat_n(' ', width - length));
    }
    line.push(' ');
}

/// What stands for `c`. Peers choose names freely, so control characters, which a terminal would obey, are replaced.
pub fn shown(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}
