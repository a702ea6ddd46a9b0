//! Any bytes as the content of an extension; the first two bytes are its type. In each message that it can stand in it
//! has one meaning or is refused.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use observer_tls::codepoints::ExtensionType;
use observer_tls::extension::{Extension, ExtensionContent, ExtensionContext};

const CONTEXTS: [ExtensionContext; 7] = [
    ExtensionContext::ClientHello,
    ExtensionContext::ServerHello,
    ExtensionContext::HelloRetryRequest,
    ExtensionContext::EncryptedExtensions,
    ExtensionContext::CertificateRequest,
    ExtensionContext::Certificate,
    ExtensionContext::NewSessionTicket,
];

fuzz_target!(|input: &[u8]| {
    let Some((typ, data)) = input.split_first_chunk() else {
        return;
    };
    let extension = Extension {
        typ: ExtensionType(u16::from_be_bytes(*typ)),
        data: Bytes::copy_from_slice(data),
    };
    for context in CONTEXTS {
        let content = extension.content(context);
        match &content {
            Ok(ExtensionContent::Raw(raw)) => assert_eq!(*raw, extension.data),
            Ok(ExtensionContent::Present) => assert!(data.is_empty(), "what is there is left out"),
            Ok(ExtensionContent::ProtocolNames(names)) => {
                let told: usize = names.iter().map(|name| 1 + name.len()).sum();
                assert_eq!(told + 2, data.len());
            }
            _ => {}
        }
        assert_eq!(content, extension.content(context));
    }
});
