//! Settings that take one value or a list, and values that are read from the file within a table.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::{FromText, TextVisitor};

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromText> Many<T> {
    /// Adds a value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn push(&mut self, text: &str) -> Result<(), String> {
        T::from_text(text).map(|value| self.0.push(value))
    }
}

impl<'de, T: FromText> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// Takes what [`TextVisitor`] does, and sequences of it.
struct ManyVisitor<T>(PhantomData<T>);

/// One value, of a type that need not be read from the file by itself.
pub struct One<T>(pub T);

impl<'de, T: FromText> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData)).map(Self)
    }
}

impl<'de, T: FromText> Visitor<'de> for ManyVisitor<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer, or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Many<T>, E> {
        T::from_text(text)
            .map(|value| Many(vec![value]))
            .map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Many<T>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Many<T>, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Many<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(One(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Many(values))
    }
}
