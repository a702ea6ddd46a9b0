//! The cases in which a relay cuts the connection: at each record of the handshake, between records and within one.

use super::build::{case, good};
use super::servers as server;
use super::{Case, Meant};
use crate::lab::proxy::{Cut, Direction, How};

/// Records of each direction after which is cut. With one record for each message a TLS 1.3 server sends eight before its
/// tickets (ServerHello, ChangeCipherSpec, five messages), a client five; later ones fall into data.
const RECORDS: [(Direction, usize); 2] = [(Direction::ToServer, 5), (Direction::ToClient, 8)];
/// Bytes of the next record that still pass: none, or its header and a little more. Of a ClientHello it takes 11 to know it
/// for one.
const BYTES: [usize; 2] = [0, 12];

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (direction, most) in RECORDS {
        for records in 0..=most {
            for bytes in BYTES {
                for how in [How::Fin, How::Rst] {
                    let cut = Cut {
                        direction,
                        records,
                        bytes,
                        how,
                    };
                    // A relay that lets nothing through cuts before there is a handshake, as often as not; an RST ends one
                    // wherever it comes.
                    let shows = records + bytes > 0;
                    if shows && (bytes == 0 || how == How::Fin) {
                        cases.push(cut_off(cut));
                    }
                }
            }
        }
    }
    cases
}

fn cut_off(cut: Cut) -> Case {
    let way = match cut.direction {
        Direction::ToServer => "client",
        Direction::ToClient => "server",
    };
    let how = match cut.how {
        How::Fin => "FIN",
        How::Rst => "RST",
    };
    let within = match cut.bytes {
        0 => String::new(),
        bytes => format!(" and {bytes} bytes"),
    };
    let quick = cut.records == 2 && cut.bytes == 0;
    let name = format!(
        "cut with {how} after {} records{within} of the {way}",
        cut.records
    );
    Case {
        cut: Some(cut),
        quick,
        ..case(&name, server::REQUIRED, Meant::Cut)
            .shows(good)
            .once()
            .few_pairs()
    }
}
