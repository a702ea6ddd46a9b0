//! What a server does of itself once a handshake is complete: most send a ticket or begin to speak. Where a server always
//! did, a record of the size of an alert in that place is no close_notify.

/// Handshakes in which a server must have greeted, and none in which it did not, before it is taken for its habit.
const ENOUGH: u8 = 3;

/// What kind of handshake was completed: some servers greet only after some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A session was resumed.
    Resumed,
    /// The server had asked for a client certificate.
    Asked,
    /// It had not.
    Unasked,
}

/// What was seen of a server, by [`Kind`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits([Habit; 3]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Habit {
    greeted: u8,
    was_silent: bool,
}

impl Habits {
    /// Whether the server always sent something of itself, right behind the client's flight, after handshakes of this kind.
    pub fn greets(self, kind: Kind) -> bool {
        let habit = self.0[kind as usize];
        habit.greeted >= ENOUGH && !habit.was_silent
    }

    /// The same with one more handshake.
    #[must_use]
    pub fn with(mut self, kind: Kind, greeted: bool) -> Self {
        let habit = &mut self.0[kind as usize];
        habit.greeted = habit.greeted.saturating_add(u8::from(greeted));
        habit.was_silent |= !greeted;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_has_no_exception() {
        let mut habits = Habits::default();
        for _ in 1..ENOUGH {
            habits = habits.with(Kind::Asked, true);
        }
        assert!(!habits.greets(Kind::Asked));
        for _ in 0..300 {
            habits = habits.with(Kind::Asked, true);
        }
        assert!(habits.greets(Kind::Asked) && !habits.greets(Kind::Unasked));
        assert!(!habits.with(Kind::Asked, false).greets(Kind::Asked));
    }
}
