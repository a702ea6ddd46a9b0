//! Tables of what a library's numbers are called, and what they are in the terms of events.

/// What a number says.
pub(super) struct Term<T: 'static> {
    pub number: i32,
    pub name: &'static str,
    pub meaning: Option<T>,
}

/// A table of [`Term`]s, in the order of their numbers.
macro_rules! terms {
    ($($number:literal $name:literal $meaning:expr;)*) => {
        &[$($crate::facts::terms::Term { number: $number, name: $name, meaning: $meaning },)*]
    };
}
pub(super) use terms;

/// The term of a number, in a table that is in order.
pub(super) fn find<T>(terms: &'static [Term<T>], number: i32) -> Option<&'static Term<T>> {
    let at = terms.binary_search_by_key(&number, |term| term.number).ok()?;
    terms.get(at)
}

/// The library's name of a number, or `unnamed`, with the number.
pub(super) fn written<T>(terms: &'static [Term<T>], number: i32, unnamed: &str) -> Box<str> {
    let name = find(terms, number).map_or(unnamed, |term| term.name);
    format!("{name} ({number})").into()
}
