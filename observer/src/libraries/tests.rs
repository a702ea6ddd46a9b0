//! Whole files: such as they are, damaged, and hostile.

use super::code::Cost;
use super::elf::Machine;
use super::file::Error;
use super::hooks::{Family, Role};
use super::identity::{Examination, Library, examine};
use super::sample::{self, CODE_OFFSET};

/// `push rbp; ret`
const PUSH: &[u8] = &[0x55, 0xc3];
/// `mov eax, 0x30000130; ret`
const VERSION: &[u8] = &[0xb8, 0x30, 0x01, 0, 0x30, 0xc3];

const LIBCRYPTO: [(&str, &[u8]); 8] = [
    ("OpenSSL_version_num", VERSION),
    ("X509_STORE_CTX_init", PUSH),
    ("X509_STORE_CTX_set_default", PUSH),
    ("X509_verify_cert", PUSH),
    // mov eax, [rdi+176]; ret
    ("X509_STORE_CTX_get_error", &[0x8b, 0x87, 0xb0, 0, 0, 0, 0xc3]),
    ("ERR_vset_error", PUSH),
    // endbr64; push rbp
    ("d2i_X509", &[0xf3, 0x0f, 0x1e, 0xfa, 0x55]),
    ("SSL_new", PUSH),
];

fn look(file: &[u8]) -> Examination {
    examine(&file).unwrap()
}

/// The only library in a file.
fn only(file: &[u8]) -> Library {
    let mut libraries = look(file).libraries;
    assert_eq!(libraries.len(), 1, "{libraries:?}");
    libraries.remove(0)
}

/// Offset in the code and cost of each place where a role is learned.
fn places(library: &Library, role: Role) -> Vec<(u64, Cost)> {
    let targets = library.targets.iter().filter(|target| target.hook.role == role);
    targets
        .flat_map(|target| &target.places)
        .map(|place| (place.offset - CODE_OFFSET, place.cost))
        .collect()
}

#[test]
fn openssl_is_known_by_its_functions() {
    let file = sample::library(Machine::X86_64, &LIBCRYPTO);
    let seen = look(&file);
    assert_eq!(seen.machine, Machine::X86_64);
    assert_eq!(seen.build_id.unwrap().to_string(), "01020304");
    assert!(seen.read < file.len() as u64 + 1024, "{} bytes", seen.read);
    let library = only(&file);
    assert_eq!(
        (library.family, library.component.part),
        (Family::OpenSsl, "libcrypto 3")
    );
    assert_eq!(library.version.as_deref(), Some("3.0.19"));
    assert!(
        library.is_complete() && library.missing.is_empty(),
        "{:?}",
        library.missing
    );
    assert_eq!(places(&library, Role::Verification), [(6, Cost::Emulated)]);
    assert_eq!(places(&library, Role::VerifyError), [(12, Cost::SingleStepped)]);
    assert_eq!(
        places(&library, Role::Certificate),
        [(21 + 4, Cost::Emulated)],
        "behind endbr64"
    );
}

#[test]
fn a_library_that_lacks_a_function_says_so() {
    let file = sample::library(Machine::X86_64, &LIBCRYPTO[..6]);
    let library = only(&file);
    assert!(!library.is_complete());
    let missing: Vec<Role> = library.missing.iter().map(|(hook, _)| hook.role).collect();
    assert_eq!(missing, [Role::Certificate]);
}

#[test]
fn a_library_is_complete_without_what_only_adds_to_the_rest() {
    let all = [
        ("gnutls_handshake", PUSH),
        ("gnutls_x509_crt_import", PUSH),
        ("gnutls_alert_send", PUSH),
        ("gnutls_alert_get", PUSH),
        ("gnutls_certificate_verify_peers", PUSH),
    ];
    let library = only(&sample::library(Machine::X86_64, &all));
    assert!(library.is_complete(), "{:?}", library.missing);
    let library = only(&sample::library(Machine::X86_64, &all[..4]));
    assert!(!library.is_complete());
}

#[test]
fn relatives_of_openssl_are_told_apart() {
    let family = |functions: &[(&str, &[u8])]| only(&sample::library(Machine::X86_64, functions)).family;
    let old = [("X509_verify_cert", PUSH), ("ERR_put_error", PUSH)];
    assert_eq!(family(&old), Family::OpenSsl);
    let libressl = [
        old[0],
        old[1],
        ("OpenSSL_version_num", &[0xb8, 0, 0, 0, 0x20, 0xc3]),
    ];
    assert_eq!(family(&libressl), Family::LibreSsl);
    let boringssl = [old[0], old[1], ("CRYPTO_BUFFER_new", PUSH)];
    assert_eq!(family(&boringssl), Family::BoringSsl);
    let aws_lc = [
        boringssl[0],
        boringssl[1],
        boringssl[2],
        ("awslc_version_string", PUSH),
    ];
    assert_eq!(family(&aws_lc), Family::AwsLc);
    // Only names of functions count, and only of those that the file defines itself.
    assert!(
        look(&sample::library(
            Machine::X86_64,
            &[("my_X509_verify_certs", PUSH)]
        ))
        .libraries
        .is_empty()
    );
}

#[test]
fn rustls_is_known_by_mangled_names() {
    let alert = "_ZN6rustls12common_state11CommonState28send_cert_verify_error_alert17h0123456789abcdefE";
    let verify = "_ZN108_$LT$rustls..webpki..client_verifier..WebPkiClientVerifier$u20$as$u20$rustls..verify..\
                  ClientCertVerifier$GT$18verify_client_cert17h0123456789abcdefE";
    let own = "_RNvXs_C6serverNtC6server8VerifierNtNtC6rustls6verify18ClientCertVerifier18verify_client_cert";
    let functions = [(alert, PUSH), (verify, PUSH), (own, PUSH)];
    let library = only(&sample::library(Machine::X86_64, &functions));
    assert_eq!(library.family, Family::RustlsRing);
    assert_eq!(
        places(&library, Role::ClientChain).len(),
        2,
        "one for each verifier"
    );
    assert_eq!(places(&library, Role::VerifyResult), [(0, Cost::Emulated)]);
    let with_aws_lc = [
        functions[0],
        ("aws_lc_0_30_0_EVP_AEAD_CTX_open", PUSH),
        ("aws_lc_0_30_0_EVP_AEAD_CTX_seal", PUSH),
    ];
    let library = only(&sample::library(Machine::X86_64, &with_aws_lc));
    assert_eq!(library.family, Family::RustlsAwsLc);
    assert!(library.is_complete());
    assert_eq!(&*library.targets[0].symbol, "aws_lc_0_30_0_EVP_AEAD_CTX_open");
}

#[test]
fn a_go_program_is_known_by_the_table_of_its_runtime() {
    let check_and_push: &[u8] = &[0x49, 0x3b, 0x66, 0x10, 0x76, 0x02, 0x55, 0xc3];
    let functions = [
        ("runtime.text", PUSH),
        ("crypto/tls.(*Conn).handshakeContext", PUSH),
        (
            "crypto/tls.(*Conn).clientHandshake",
            &[0x55, 0xc3, 0x90, 0xc3, 0xcc],
        ),
        ("crypto/tls.(*Conn).sendAlert", check_and_push),
        ("crypto/tls.(*Conn).verifyServerCertificate", check_and_push),
        ("main.main", PUSH),
    ];
    let file = sample::go_program(&functions);
    assert_eq!(look(&file).go_version.as_deref(), Some("go1.22.3"));
    let library = only(&file);
    assert_eq!(library.family, Family::Go);
    assert_eq!(library.version.as_deref(), Some("go1.22.3"));
    assert!(library.is_complete(), "a client: {:?}", library.missing);
    let returns = places(&library, Role::HandshakeResult);
    assert_eq!(returns, [(5, Cost::SingleStepped), (7, Cost::SingleStepped)]);
    assert_eq!(places(&library, Role::AlertSent), [(9 + 6, Cost::Emulated)]);
}

#[test]
fn a_go_table_that_leads_elsewhere_is_refused() {
    let file = sample::go_program(&[("crypto/tls.(*Conn).handshakeContext", &[0x55, 0xc3])]);
    let table = file
        .windows(8)
        .position(|at| at == [0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8])
        .unwrap();
    let problem = |at: usize, value: u64| {
        let mut file = file.clone();
        file[table + at..][..8].copy_from_slice(&value.to_le_bytes());
        let seen = look(&file);
        assert!(seen.libraries.iter().all(|library| !library.is_complete()));
        seen.go_problem.map(|problem| problem.to_string())
    };
    assert!(
        problem(0, 0x0801_0000_ffff_fffb)
            .unwrap()
            .contains("another version")
    );
    assert!(
        problem(8, 1 << 40).unwrap().contains("limit"),
        "count of functions"
    );
    assert!(
        problem(8, 1 << 20).unwrap().contains("beyond the end"),
        "count of functions"
    );
    assert!(problem(32, 1 << 40).unwrap().contains("beyond its end"), "names");
    assert!(
        problem(64, u64::MAX).unwrap().contains("beyond its end"),
        "functions"
    );
    // Functions that are then in no segment.
    assert_eq!(problem(24, u64::MAX - 1), None);
}

#[test]
fn code_of_arm_is_read_as_such() {
    let code: Vec<u8> = [0x5280_2600_u32, 0x72a6_0000, 0xd65f_03c0]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let functions = [
        ("X509_verify_cert", &code[..]),
        ("ERR_vset_error", &code),
        ("OpenSSL_version_num", &code),
    ];
    let file = sample::library(Machine::Aarch64, &functions);
    assert_eq!(look(&file).machine, Machine::Aarch64);
    assert_eq!(only(&file).version.as_deref(), Some("3.0.19"));
}

#[test]
fn this_program_is_read_as_it_is() {
    let program = std::fs::File::open("/proc/self/exe").unwrap();
    let seen = examine(&program).unwrap();
    assert_eq!(seen.machine == Machine::X86_64, cfg!(target_arch = "x86_64"));
    assert!(
        seen.libraries.is_empty(),
        "rustls is not in it: {:?}",
        seen.libraries
    );
    assert!(seen.read > 0 && seen.go_version.is_none() && seen.go_problem.is_none());
}

#[test]
fn what_is_no_program_is_not_supported() {
    for bytes in [&b""[..], b"#!/bin/sh\n", &[0; 200], b"\x7fELF"] {
        assert!(matches!(examine(&bytes), Err(Error::Unsupported(_))));
    }
    let file = sample::library(Machine::X86_64, &LIBCRYPTO);
    for (at, value) in [(4, 1), (5, 2), (18, 3)] {
        let mut other = file.clone();
        other[at] = value;
        assert!(
            matches!(examine(&&other[..]), Err(Error::Unsupported(_))),
            "byte {at}"
        );
    }
}

#[test]
fn a_file_cut_off_anywhere_is_no_panic() {
    for file in samples() {
        for end in 0..file.len() {
            let cut = &file[..end];
            if let Ok(seen) = examine(&cut) {
                assert!(seen.libraries.is_empty(), "headers of sections are at the end");
            }
        }
    }
}

#[test]
fn a_file_with_any_byte_changed_is_no_panic_and_no_endless_work() {
    for file in samples() {
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                if let Ok(seen) = examine(&&changed[..]) {
                    assert!(
                        seen.read < 16 << 20,
                        "byte {at} as {value}: {} bytes read",
                        seen.read
                    );
                    for target in seen.libraries.iter().flat_map(|library| &library.targets) {
                        let within = target
                            .places
                            .iter()
                            .all(|place| place.offset < changed.len() as u64);
                        assert!(within || at < 120, "byte {at} as {value}: {target:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn sizes_and_counts_beyond_reason_are_refused() {
    let file = sample::library(Machine::X86_64, &LIBCRYPTO);
    let with = |at: usize, value: &[u8]| {
        let mut changed = file.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        examine(&&changed[..]).unwrap_err().to_string()
    };
    // e_phnum; e_shnum; e_phentsize.
    assert_eq!(
        with(56, &[0xff, 0xff]),
        "program headers: 65535 are more than the limit of 256"
    );
    assert_eq!(
        with(60, &[0xff, 0xff]),
        "section headers: 65535 are more than the limit of 4096"
    );
    assert!(with(54, &[57]).contains("another size"));
    let headers = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    // sh_size and sh_offset of .dynsym and .dynstr.
    for (section, field) in [(2, 32), (2, 24), (3, 32), (3, 24)] {
        let error = with(headers + section * 64 + field, &u64::MAX.to_le_bytes());
        assert!(error.contains("beyond the end of the file"), "{error}");
    }
}

fn samples() -> [Vec<u8>; 2] {
    let handshake: &[u8] = &[0x55, 0xc3, 0x90, 0xc3, 0xcc];
    [
        sample::library(Machine::X86_64, &LIBCRYPTO),
        sample::go_program(&[
            ("crypto/tls.(*Conn).handshakeContext", handshake),
            ("main.main", PUSH),
        ]),
    ]
}
