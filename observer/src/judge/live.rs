//! The judge of live traffic: its trust bundles follow their files, and metrics tell how that goes.

use std::io;
use std::sync::Arc;

use super::Judge;
use crate::config::Config;
use crate::observation::Observation;
use crate::output::metrics::{DropCounter, Metrics};
use crate::trust::reload::{INTERVAL, Reloader};
use crate::trust::{Loader, TrustError};
use crate::verify::revocation::fetch::FetchCounters;

/// A judge of live traffic.
#[derive(Debug)]
pub struct LiveJudge {
    judge: Judge,
    /// `None` without trust bundles.
    reloader: Option<Reloader>,
    fetches: Arc<FetchCounters>,
    metrics: Arc<Metrics>,
    unjudged: (DropCounter, u64),
}

/// Why there is no judge.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The files of a trust bundle.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The system.
    #[error("cannot start the thread that looks after trust bundles: {0}")]
    Thread(#[from] io::Error),
}

impl LiveJudge {
    /// Reads the files of the trust bundles, and looks after them from now on.
    ///
    /// # Errors
    /// When a file cannot be used.
    ///
    /// # Panics
    /// Outside of a Tokio runtime, if anything is to be fetched.
    pub fn start(config: &Config, metrics: Arc<Metrics>) -> Result<Self, StartError> {
        let fetches = Arc::default();
        let loader = Loader::fetching(&config.trust, &fetches);
        let (stamps, store) = (loader.stamps(), loader.load()?);
        let reloader = match loader.is_empty() {
            true => None,
            false => Some(Reloader::start(loader, stamps, INTERVAL)?),
        };
        Ok(Self {
            judge: Judge::live(store, &config.services),
            reloader,
            fetches,
            unjudged: (metrics.drop_counter("judge", "too_many_chains"), 0),
            metrics,
        })
    }

    /// See [`Judge::judge`].
    pub fn judge(&mut self, seen: &mut Observation) {
        self.judge.judge(seen);
    }

    /// Reads the files again, changed or not. [`Self::tick`] takes over what comes of it.
    pub fn reload(&self) {
        if let Some(reloader) = &self.reloader {
            reloader.reload();
        }
    }

    /// Takes over trust bundles whose files have changed, and exports counters. Bundles that cannot be used change nothing.
    pub fn tick(&mut self) {
        while let Some(result) = self.reloader.as_ref().and_then(Reloader::poll) {
            self.metrics.count_trust_reload(result.is_ok());
            match result {
                Ok(store) => {
                    self.judge.replace(store);
                    tracing::info!("trust bundles were read again");
                }
                Err(error) => tracing::error!("the trust bundles stay as they were: {error}"),
            }
        }
        self.metrics.set_revocation_fetches(&self.fetches);
        let (counter, exported) = &mut self.unjudged;
        counter.inc_by(self.judge.unjudged() - *exported);
        *exported = self.judge.unjudged();
    }
}
