//! How cases are written down.

use super::{Case, Client, Materials, Meant, Pairs, Server, Who, identity};
use crate::lab::peer::{Behaviour, ClientPlan, Identity};
use crate::peers::Version;

/// Connections of a pair in cases that are there for their number: good handshakes.
const MANY: u32 = 20;
/// Connections of a pair in the other cases.
const FEW: u32 = 3;

/// A case of all pairs, in both versions, in the long run only; its client shows nothing, asks and hears.
pub fn case(name: &str, server: Server, meant: Meant) -> Case {
    Case {
        name: name.to_owned(),
        server,
        who: Who::AnyStack,
        versions: &Version::ALL,
        client: Client::default(),
        pairs: Pairs::All,
        count: FEW,
        meant,
        cut: None,
        quick: false,
    }
}

/// The good client's certificate.
pub fn good(with: &Materials) -> Identity<'_> {
    identity(&with.pki.good)
}

impl Case {
    /// Part of the short run too.
    pub fn quick(self) -> Self {
        Self { quick: true, ..self }
    }

    /// One connection.
    pub fn once(self) -> Self {
        Self { count: 1, ..self }
    }

    /// Many connections.
    pub fn often(self) -> Self {
        Self { count: MANY, ..self }
    }

    /// In TLS 1.2 only.
    pub fn only_12(self) -> Self {
        self.only(&[Version::Tls12])
    }

    /// In TLS 1.3 only.
    pub fn only_13(self) -> Self {
        self.only(&[Version::Tls13])
    }

    fn only(self, versions: &'static [Version]) -> Self {
        Self { versions, ..self }
    }

    /// Of few pairs.
    pub fn few_pairs(self) -> Self {
        Self {
            pairs: Pairs::Few,
            ..self
        }
    }

    /// The same, but for those of the short run: they are the plainest of their kind.
    pub fn few_pairs_unless_quick(self) -> Self {
        if self.quick { self } else { self.few_pairs() }
    }

    /// The client is one that speaks no TLS.
    pub fn by(self, stranger: &'static str) -> Self {
        Self {
            who: Who::Stranger(stranger),
            ..self
        }
    }

    /// The client shows this.
    pub fn shows(mut self, identity: fn(&Materials) -> Identity<'_>) -> Self {
        self.client.identity = Some(identity);
        self
    }

    /// What the client does once connected.
    pub fn behaves(mut self, behaviour: Behaviour) -> Self {
        self.client.behaviour = behaviour;
        self
    }

    /// The client has this cipher suite only.
    pub fn cipher(mut self, name: &'static str) -> Self {
        self.client.cipher = Some(name);
        self
    }

    /// What else tells the client from others.
    pub fn client(mut self, adjust: for<'a> fn(&mut ClientPlan<'a>, &'a Materials)) -> Self {
        self.client.adjust = adjust;
        self
    }
}
