//! The little of DER (X.690) that it takes to find the parts of a certificate that are compared or signed.

const CONSTRUCTED: u8 = 0x20;
const CONTEXT_SPECIFIC: u8 = 0x80;

pub const BOOLEAN: u8 = 1;
pub const INTEGER: u8 = 2;
pub const BIT_STRING: u8 = 3;
pub const OCTET_STRING: u8 = 4;
pub const OBJECT_IDENTIFIER: u8 = 6;
pub const SEQUENCE: u8 = 0x10 | CONSTRUCTED;
pub const SET: u8 = 0x11 | CONSTRUCTED;

/// The tag of a primitive context-specific element.
pub const fn primitive(number: u8) -> u8 {
    CONTEXT_SPECIFIC | number
}

/// The tag of a constructed context-specific element.
pub const fn constructed(number: u8) -> u8 {
    CONTEXT_SPECIFIC | CONSTRUCTED | number
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Its identifier octet.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// All of it, with tag and length.
    pub whole: &'a [u8],
}

/// The elements of a content one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// Whether there is nothing left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` at the end, or when what follows is none. Tags above 30 and lengths of more than four
    /// bytes or without definite form are in no certificate.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = digits
                    .iter()
                    .fold(0, |length, digit| length << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    /// The next element if it has this tag.
    pub fn element(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.any().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// The content of the next element if it has this tag.
    pub fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.element(tag).map(|element| element.content)
    }

    /// The elements inside of the next element if it has this tag.
    pub fn inside(&mut self, tag: u8) -> Option<Elements<'a>> {
        self.content(tag).map(Elements)
    }
}

/// An element with this tag and content.
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = length.iter().skip_while(|digit| **digit == 0);
    let mut encoded = vec![tag];
    if let Ok(short @ ..0x80) = u8::try_from(content.len()) {
        encoded.push(short);
    } else {
        encoded.push(0x80 | digits.clone().count() as u8);
        encoded.extend(digits);
    }
    encoded.extend_from_slice(content);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![7; length];
            let encoded = encode(OCTET_STRING, &content);
            let mut elements = Elements(&encoded);
            let element = elements.element(OCTET_STRING).unwrap();
            assert_eq!((element.content, element.whole), (&content[..], &encoded[..]));
            assert!(elements.is_empty() && elements.any().is_none());
        }
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_no_element() {
        let broken = [
            &[][..],
            &[4],
            &[4, 2, 0],
            &[4, 0x80, 0, 0],
            &[4, 0x85, 0, 0, 0, 0, 0],
            &[0x1f, 1, 0],
        ];
        for bytes in broken {
            assert!(Elements(bytes).any().is_none(), "{bytes:?}");
        }
        let mut other = Elements(&[BOOLEAN, 1, 0xff]);
        assert!(other.content(INTEGER).is_none());
        assert_eq!(other.content(BOOLEAN), Some(&[0xff][..]));
    }
}
