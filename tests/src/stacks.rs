//! The mutual-TLS stacks that operators run (`tests/stacks`): each deployed as it would be, called by clients with good and
//! bad certificates, and what the agent tells of each call beside what the service's own log says.

pub mod case;
pub mod cell;
pub mod certificates;
pub mod client;
pub mod run;
pub mod service;
