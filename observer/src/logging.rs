//! The agent's own log, on standard error.

use std::io::{IsTerminal as _, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

use crate::config::Console;
use crate::config::values::{LogFormat, LogLevel};

/// Starts logging; call it once. Messages of the kernel probes come through the same way.
pub fn start(console: &Console) {
    let level = match console.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let log = fmt().with_writer(stderr).with_max_level(level).with_target(false);
    match console.log_format {
        LogFormat::Text => log.with_ansi(stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
