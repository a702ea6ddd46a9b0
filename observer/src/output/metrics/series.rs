//! Families of series whose label values come from fixed lists.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Metric, Registry};

/// A label and the values it can have.
#[derive(Debug)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Every value; empty where the list is not known when the agent is built.
    pub values: &'static [&'static str],
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; exported with the suffix `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram,
    /// Always 1, says something in its labels; exported with the suffix `_info`.
    Info,
}

/// A metric: what is exported, and what the reference says of it.
#[derive(Debug)]
pub struct Definition<const N: usize> {
    /// Name without the suffix of its kind.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// What it counts.
    pub help: &'static str,
    /// Labels, `service` left out.
    pub labels: [&'static Label; N],
    /// Whether the series carry `service` when services are configured.
    pub per_service: bool,
    /// Which series exist before anything happened.
    pub initial: &'static str,
}

impl<const N: usize> Definition<N> {
    /// The name in expositions and queries.
    pub fn exported_name(&self) -> String {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{suffix}", self.name)
    }
}

/// The value of the `service` label; `None` leaves the label out.
pub type ServiceLabel = Option<Arc<str>>;

/// One series of a family: a value for each label.
#[derive(Clone, Debug)]
pub struct Series<const N: usize> {
    labels: &'static [&'static Label; N],
    values: [&'static str; N],
    service: ServiceLabel,
}

// The label names are the same in all of a family and need not be compared.
impl<const N: usize> PartialEq for Series<N> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values && self.service == other.service
    }
}

impl<const N: usize> Eq for Series<N> {}

impl<const N: usize> Hash for Series<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
        self.service.hash(state);
    }
}

impl<const N: usize> EncodeLabelSet for Series<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        for (label, value) in self.labels.iter().zip(self.values) {
            (label.name, value).encode(encoder.encode_label())?;
        }
        match &self.service {
            Some(service) => ("service", &**service).encode(encoder.encode_label()),
            None => Ok(()),
        }
    }
}

/// A family of series, registered under its definition.
#[derive(Clone, Debug)]
pub struct Table<const N: usize, M> {
    definition: &'static Definition<N>,
    family: Family<Series<N>, M, fn() -> M>,
}

impl<const N: usize, M: Clone> Table<N, M> {
    /// Registers an empty family; `make` makes the metric of a new series.
    pub fn register(registry: &mut Registry, definition: &'static Definition<N>, make: fn() -> M) -> Self
    where
        Family<Series<N>, M, fn() -> M>: Metric,
    {
        let family = Family::new_with_constructor(make);
        registry.register(
            definition.name,
            definition.help.trim_end_matches('.'),
            family.clone(),
        );
        Self { definition, family }
    }

    /// Runs `update` on the series with these label values, in the order of the definition.
    pub fn with<R>(
        &self,
        values: [&'static str; N],
        service: &ServiceLabel,
        update: impl FnOnce(&M) -> R,
    ) -> R {
        update(&self.family.get_or_create(&self.series(values, service)))
    }

    /// The metric of the series, to keep.
    pub fn get(&self, values: [&'static str; N]) -> M {
        self.family.get_or_create_owned(&self.series(values, &None))
    }

    fn series(&self, values: [&'static str; N], service: &ServiceLabel) -> Series<N> {
        let service = if self.definition.per_service {
            service.clone()
        } else {
            None
        };
        Series {
            labels: &self.definition.labels,
            values,
            service,
        }
    }
}
