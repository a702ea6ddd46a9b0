//! Hits as rustls was seen to make them, and such as a wrong guess would.

use super::*;

const SERVER: u64 = 70;
const OTHER: u64 = 71;

fn hit(cookie: u64, kind: u16, values: [u64; 2], bytes: &[u8]) -> Hit<'_> {
    Hit::sample(cookie, kind, [values[0], values[1], 0, 0], bytes)
}

/// The hits of a client's chain.
fn chain(cookie: u64, ders: &[Bytes]) -> Vec<Hit<'_>> {
    ders.iter()
        .zip(0..)
        .map(|(der, number)| {
            let is_last = number + 1 == ders.len() as u64;
            hit(cookie, kind::CLIENT_CERTIFICATE, [number, is_last.into()], der)
        })
        .collect()
}

fn read(hits: &[Hit<'_>]) -> (Vec<Fact>, u64) {
    let mut reader = Rustls::default();
    let mut facts = Vec::new();
    for hit in hits {
        reader.take(hit, &mut facts);
    }
    (facts, reader.losses().does_not_fit)
}

fn certificate(name: &str) -> Bytes {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    Bytes::copy_from_slice(parameters.self_signed(&key).unwrap().der())
}

#[test]
fn a_chain_is_told_once_and_refused() {
    let ders = [certificate("leaf"), certificate("issuer")];
    let refused = [hit(SERVER, kind::REFUSED, [0, 0], &[])];
    // A verifier hands the chain on to another one.
    let hits = [chain(SERVER, &ders), chain(SERVER, &ders), refused.to_vec()].concat();
    let (facts, does_not_fit) = read(&hits);
    let told: Vec<_> = facts.iter().map(|fact| (fact.own_side, &fact.body)).collect();
    let rejected = CertificateFault::Rejected;
    let own_side = Some(Side::Server);
    assert_eq!(
        told,
        [
            (own_side, &FactBody::Chain(ders.to_vec())),
            (
                own_side,
                &FactBody::Verified(Verification {
                    fault: Some(rejected),
                    term: "send_cert_verify_error_alert".into(),
                })
            ),
            (
                own_side,
                &FactBody::Failed(Failure {
                    reason: Some(Reason::Certificate(Side::Client, rejected)),
                    term: "send_cert_verify_error_alert".into(),
                })
            ),
        ]
    );
    assert_eq!(does_not_fit, 0);
}

#[test]
fn what_is_no_certificate_is_believed_of_no_connection() {
    let der = certificate("leaf");
    let cut = [der.slice(..der.len() - 1)];
    assert_eq!(read(&chain(SERVER, &cut)), (Vec::new(), 1));
    let longer = [Bytes::from([&der[..], &[0]].concat())];
    assert_eq!(read(&chain(SERVER, &longer)), (Vec::new(), 1));
    let nonsense = [Bytes::from([&[0x30, 0x82, 1, 0, 0x30][..], &[7; 255]].concat())];
    assert_eq!(read(&chain(SERVER, &nonsense)), (Vec::new(), 1));
    // A member that could not be read.
    let mut hits = chain(SERVER, &cut);
    hits[0].bytes = &[];
    assert_eq!(read(&hits), (Vec::new(), 1));
}

#[test]
fn certificates_that_do_not_follow_each_other_are_no_chain() {
    let ders = [certificate("leaf"), certificate("issuer"), certificate("root")];
    let whole = chain(SERVER, &ders);
    assert_eq!(
        read(&[whole[0], whole[2]]),
        (Vec::new(), 1),
        "the second is missing"
    );
    assert_eq!(read(&whole[1..]), (Vec::new(), 2), "the first is missing");
    let others = chain(OTHER, &ders);
    let (facts, does_not_fit) = read(&[whole[0], others[0], others[1], whole[1], others[2], whole[2]]);
    assert_eq!((facts.len(), does_not_fit), (2, 0), "two connections");
}

#[test]
fn another_chain_on_the_same_socket_is_not_the_connection_s() {
    let (first, second) = ([certificate("proxy")], [certificate("server")]);
    let (facts, does_not_fit) = read(&[chain(SERVER, &first), chain(SERVER, &second)].concat());
    assert_eq!((facts.len(), does_not_fit), (1, 1));
    assert_eq!(facts[0].body, FactBody::Chain(first.to_vec()));
}

#[test]
fn a_refusal_without_a_chain_is_about_nothing_known() {
    let refused = hit(SERVER, kind::REFUSED, [0, 0], &[]);
    assert_eq!(read(&[refused]), (Vec::new(), 1));
}
