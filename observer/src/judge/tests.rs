//! Whole observations through the stage.

use std::time::Duration;

use observer_tls::alert::Alert;
use observer_tls::codepoints::{AlertDescription, AlertLevel};
use observer_tls::x509::CertificateFacts;

use super::*;
use crate::config::trust::Trust;
use crate::config::values::FromText;
use crate::observation::{CertificateFault, Evidence, Outcome, Reason};
use crate::outcome::Rule;
use crate::output::samples;
use crate::trust::Loader;
use crate::verify::Disagreement;
use crate::verify::tests::authorities::{Authority, NOW};

/// An authority, its file, and a client's leaf by it.
struct World {
    root: Authority,
    folder: tempfile::TempDir,
    leaf: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let root = Authority::root("Root");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.der"), &root.der).unwrap();
        Self {
            leaf: root.leaf(),
            root,
            folder,
        }
    }

    /// Bundles of this authority: a name, and more settings.
    fn store(&self, texts: &[&str]) -> Store {
        let path = self.folder.path().display().to_string();
        let trust = |text: &&str| {
            let (name, more) = text.split_once(';').unwrap_or((text, ""));
            let more = more.replace('@', &path);
            Trust::from_text(&format!("{name}={path}/ca.der;{more}")).unwrap()
        };
        Loader::without_fetching(&texts.iter().map(trust).collect::<Vec<_>>())
            .load()
            .unwrap()
    }

    fn judge(&self, texts: &[&str]) -> Judge {
        Judge::patient(self.store(texts), &[])
    }

    fn list(&self, serials: &[u64]) {
        let list = self.root.revocation_list(serials);
        std::fs::write(self.folder.path().join("list.crl"), list).unwrap();
    }
}

/// The server took a client's certificate, or refused it with this alert.
fn seen(leaf: &[u8], refusal: Option<(AlertDescription, CertificateFault)>) -> Observation {
    let mut seen = samples::refused_client();
    seen.time_ns = NOW as u64 * 1_000_000_000;
    seen.client_chain = vec![Arc::new(CertificateFacts::parse(leaf))];
    seen.server_chain = vec![];
    seen.client_verdict = None;
    seen.server_verdict = None;
    match refusal {
        Some((description, fault)) => {
            seen.reason = Some(Reason::Certificate(Side::Client, fault));
            seen.alerts[0].alert = Some(Alert {
                level: AlertLevel::FATAL,
                description,
            });
        }
        None => {
            seen.outcome = Outcome::Established;
            seen.rejected_by = None;
            seen.reason = None;
            seen.alerts.clear();
        }
    }
    seen
}

fn client(seen: &Observation) -> &CertificateVerdict {
    seen.client_verdict.as_deref().unwrap()
}

#[test]
fn a_revoked_certificate_that_was_accepted_is_a_disagreement() {
    let world = World::new();
    world.list(&[7]);
    let mut seen = seen(&world.leaf, None);
    world.judge(&["mesh;crl=@/list.crl"]).judge(&mut seen);
    assert_eq!(client(&seen).status, Status::Revoked);
    assert_eq!(client(&seen).revocation, Revocation::Revoked);
    assert_eq!(client(&seen).trust_bundle.as_deref(), Some("mesh"));
    assert_eq!(seen.disagreement, Some(Disagreement::AcceptedButInvalid));
    assert_eq!((seen.outcome, seen.reason), (Outcome::Established, None));
    assert!(seen.server_verdict.is_none(), "none was seen");
}

#[test]
fn a_leaf_alone_is_not_judged_for_want_of_its_issuers() {
    let world = World::new();
    world.list(&[7]);
    let status = |bundle: &str, leaf: &[u8], leaf_alone: bool| {
        let mut seen = seen(leaf, None);
        seen.sessions.leaf_alone = leaf_alone;
        world.judge(&[bundle]).judge(&mut seen);
        (client(&seen).status, seen.disagreement)
    };
    let invalid = Some(Disagreement::AcceptedButInvalid);
    let below = world.root.authority("Below").leaf();
    assert_eq!(status("mesh", &below, true), (Status::NotChecked, None));
    assert_eq!(status("mesh", &below, false), (Status::Untrusted, invalid));
    // These need no more.
    assert_eq!(status("mesh", &world.leaf, true), (Status::Valid, None));
    assert_eq!(
        status("mesh;crl=@/list.crl", &world.leaf, true),
        (Status::Revoked, invalid)
    );
    let own = Authority::root("Own").der;
    assert_eq!(status("mesh", &own, true).0, status("mesh", &own, false).0);
}

#[test]
fn a_vague_refusal_of_a_revoked_certificate_is_about_that() {
    let world = World::new();
    world.list(&[7]);
    let bad = (AlertDescription::BAD_CERTIFICATE, CertificateFault::Bad);
    let mut seen = seen(&world.leaf, Some(bad));
    world.judge(&["mesh;crl=@/list.crl"]).judge(&mut seen);
    assert_eq!(
        seen.reason,
        Some(Reason::Certificate(Side::Client, CertificateFault::Revoked))
    );
    assert_eq!(seen.evidence, Evidence::Derived);
    assert_eq!(seen.rule, Some(Rule::VerdictRevoked));
    assert_eq!(seen.disagreement, None);
    assert_eq!(
        seen.alerts[0].alert.unwrap().description,
        AlertDescription::BAD_CERTIFICATE,
        "what was read stays"
    );
}

#[test]
fn a_valid_certificate_that_was_refused_is_a_disagreement() {
    let world = World::new();
    let unknown = (AlertDescription::UNKNOWN_CA, CertificateFault::UnknownCa);
    let mut seen = seen(&world.leaf, Some(unknown));
    world.judge(&["mesh"]).judge(&mut seen);
    assert_eq!(client(&seen).status, Status::Valid);
    assert_eq!(seen.disagreement, Some(Disagreement::RejectedButValid));
    assert_eq!(seen.evidence, Evidence::Observed);
}

#[test]
fn without_a_bundle_only_the_certificate_itself_counts() {
    let world = World::new();
    let mut judge = world.judge(&["other;port=1"]);
    let mut now = seen(&world.leaf, None);
    judge.judge(&mut now);
    assert_eq!(client(&now).status, Status::NotChecked);
    assert_eq!((&client(&now).trust_bundle, &client(&now).detail), (&None, &None));
    let mut later = seen(&world.leaf, None);
    later.time_ns += 400 * 86_400 * 1_000_000_000;
    judge.judge(&mut later);
    assert_eq!(client(&later).status, Status::Expired);
    assert_eq!(later.disagreement, None, "nobody said whom the service trusts");
    let mut broken = seen(b"rubbish", None);
    judge.judge(&mut broken);
    assert_eq!(client(&broken).status, Status::Malformed);
}

#[test]
fn decode_error_is_about_a_certificate_that_cannot_be_read() {
    let world = World::new();
    let refused = |side: Side, leaf: &[u8], reason| {
        let mut seen = seen(
            leaf,
            Some((AlertDescription::DECODE_ERROR, CertificateFault::Bad)),
        );
        if side == Side::Server {
            std::mem::swap(&mut seen.client_chain, &mut seen.server_chain);
            seen.rejected_by = Some(Side::Client);
            seen.alerts[0].sender = Side::Client;
        }
        seen.reason = Some(reason);
        seen
    };
    let end = |mut seen: Observation| {
        for bundles in [&["mesh"][..], &[]] {
            world.judge(bundles).judge(&mut seen);
        }
        (seen.reason, seen.evidence, seen.rule)
    };
    let cut = &world.leaf[..world.leaf.len() * 2 / 3];
    let trailing = [&world.leaf[..], &[0]].concat();
    for side in [Side::Client, Side::Server] {
        let bad = Some(Reason::Certificate(side, CertificateFault::Bad));
        for broken in [cut, &trailing] {
            let told = end(refused(side, broken, Reason::DecodeError));
            assert_eq!(told, (bad, Evidence::Derived, Some(Rule::VerdictMalformed)));
        }
    }
    let stands = |seen: Observation| {
        let before = (seen.reason, seen.evidence, seen.rule);
        assert_eq!(end(seen), before);
    };
    let mut forged = world.leaf.clone();
    *forged.last_mut().unwrap() ^= 1;
    for readable in [&world.leaf, &forged] {
        stands(refused(Side::Client, readable, Reason::DecodeError));
    }
    // A Certificate message that cannot be decoded shows none.
    let mut unseen = refused(Side::Client, cut, Reason::DecodeError);
    unseen.client_chain.clear();
    stands(unseen);
    // What the alert says is another thing.
    stands(refused(Side::Client, cut, Reason::DecryptError));
    // The side that broke its own does not judge it.
    let mut own = refused(Side::Client, cut, Reason::DecodeError);
    own.rejected_by = Some(Side::Client);
    stands(own);
}

#[test]
fn each_side_has_its_bundle_and_only_servers_a_name() {
    let world = World::new();
    let mut seen = seen(&world.leaf, None);
    seen.server_chain = seen.client_chain.clone();
    world
        .judge(&[
            "clients;side=client",
            "servers;server_name=*.example.com;side=server",
        ])
        .judge(&mut seen);
    assert_eq!(client(&seen).trust_bundle.as_deref(), Some("clients"));
    assert_eq!(client(&seen).status, Status::Valid);
    let server = seen.server_verdict.as_deref().unwrap();
    assert_eq!(server.trust_bundle.as_deref(), Some("servers"));
    assert_ne!(
        server.status,
        Status::Valid,
        "it is a client's, with another name"
    );
}

#[test]
fn what_is_no_handshake_or_has_no_certificate_is_not_judged() {
    let world = World::new();
    let mut judge = world.judge(&["mesh"]);
    for mut seen in [
        samples::established_13(),
        samples::late_alert(),
        samples::not_tls(),
    ] {
        judge.judge(&mut seen);
        assert!(seen.client_verdict.is_none() && seen.server_verdict.is_none());
        assert!(seen.disagreement.is_none());
    }
}

#[test]
fn verdicts_are_kept_until_the_bundles_change() {
    let world = World::new();
    world.list(&[]);
    let text = ["mesh;crl=@/list.crl"];
    let mut judge = world.judge(&text);
    let verdict = |judge: &mut Judge| {
        let mut seen = seen(&world.leaf, None);
        judge.judge(&mut seen);
        seen.client_verdict.unwrap()
    };
    let first = verdict(&mut judge);
    assert_eq!(
        (first.status, first.revocation),
        (Status::Valid, Revocation::Good)
    );
    assert!(Arc::ptr_eq(&first, &verdict(&mut judge)));
    world.list(&[7]);
    judge.replace(world.store(&text));
    assert_eq!(verdict(&mut judge).status, Status::Revoked);
}

#[test]
fn that_a_server_has_another_name_is_told_without_trust() {
    let world = World::new();
    let facts = CertificateFacts {
        dns_names: vec!["other.test".into()],
        ..CertificateFacts::parse(&world.leaf)
    };
    let nameless = CertificateFacts {
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        ..facts.clone()
    };
    for (facts, status) in [(facts, Status::NameMismatch), (nameless, Status::NotChecked)] {
        let mut seen = seen(&world.leaf, None);
        seen.client_chain.clear();
        seen.server_chain = vec![Arc::new(facts)];
        seen.server_name = Some("asked.test".into());
        seen.outcome = Outcome::Rejected;
        seen.rejected_by = Some(Side::Client);
        seen.reason = Some(Reason::Certificate(Side::Server, CertificateFault::Bad));
        world.judge(&[]).judge(&mut seen);
        assert_eq!(seen.server_verdict.as_ref().unwrap().status, status);
        assert_eq!(
            seen.rule == Some(Rule::VerdictNameMismatch),
            status == Status::NameMismatch
        );
        assert_eq!(seen.disagreement, None);
    }
}

#[test]
fn too_many_new_chains_are_not_checked_and_counted() {
    let world = World::new();
    let mut judge = Judge::live(world.store(&["mesh"]), &[]);
    let mut known = seen(&world.leaf, None);
    judge.judge(&mut known);
    assert_eq!(client(&known).status, Status::Valid);
    judge.budget.as_mut().unwrap().spend(Duration::from_secs(3600));
    let mut unknown = seen(&world.root.leaf(), None);
    judge.judge(&mut unknown);
    assert_eq!(client(&unknown).status, Status::NotChecked);
    assert_eq!(
        client(&unknown).detail.as_deref(),
        Some("too many new certificates came at once")
    );
    assert_eq!((unknown.disagreement, judge.unjudged()), (None, 1));
    for seconds in [0, 1000] {
        known.time_ns += seconds * 1_000_000_000;
        judge.judge(&mut known);
        assert_eq!(
            client(&known).status,
            Status::Valid,
            "what is known costs nothing"
        );
    }
}

/// What a judgement takes, printed: the figures in `docs/performance.md`. Keeping verdicts is worth it many times over.
#[test]
fn what_a_judgement_takes() {
    let world = World::new();
    world.list(&[1, 2, 3]);
    let middle = world.root.authority("Middle");
    let leaf = middle.leaf();
    let mut seen = seen(&leaf, None);
    seen.client_chain
        .push(Arc::new(CertificateFacts::parse(&middle.der)));
    for (what, judge) in [
        ("by a bundle", world.judge(&["mesh;crl=@/list.crl"])),
        ("without one", world.judge(&[])),
    ] {
        let mut judge = judge;
        let mut took = Vec::new();
        for (how, fresh, count) in [("fresh", true, 500_u32), ("kept", false, 50_000)] {
            let begin = Instant::now();
            for _ in 0..count {
                if fresh {
                    judge.cache.clear();
                }
                judge.judge(&mut seen);
            }
            took.push(begin.elapsed() / count);
            println!("{what}, {how}: {} ns", took[took.len() - 1].as_nanos());
        }
        assert!(took[1] < took[0] / 2, "{what}: {took:?}");
    }
    assert_eq!(client(&seen).status, Status::NotChecked);
}
