//! What leaves the agent: JSON and text events, metrics, the JSON Schema of an event.
//!
//! The pipeline hands each [`crate::observation::Observation`] to [`metrics::Metrics::record`] and to
//! [`queue::Outputs::send`]; neither ever waits.

pub mod certificates;
pub(crate) mod columns;
#[cfg(test)]
pub(crate) mod docs;
pub mod event;
pub mod http;
pub mod json;
pub mod messages;
pub mod metrics;
pub mod queue;
#[cfg(test)]
pub(crate) mod samples;
pub mod schema;
pub mod summary;
pub mod target;
pub mod text;
pub mod words;
