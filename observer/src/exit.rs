//! Exit statuses of the binary, for scripts and service managers.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed on the way.
    Failed = 1,
    /// The command line, the environment or the configuration file is wrong.
    Usage = 2,
    /// This host cannot run the agent.
    Unsupported = 77,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
