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

/// In how many handshakes the server greeted and was silent. What was long ago counts less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Habit {
    greeted: u8,
    silent: u8,
}

impl Habits {
    /// Whether the server always sends something of itself, right behind the client's flight, after handshakes of this kind.
    pub fn greets(self, kind: Kind) -> bool {
        let Habit { greeted, silent } = self.0[kind as usize];
        greeted >= ENOUGH && silent == 0
    }

    /// The same with one more handshake.
    #[must_use]
    pub fn with(mut self, kind: Kind, greeted: bool) -> Self {
        let habit = &mut self.0[kind as usize];
        let count = match greeted {
            true => &mut habit.greeted,
            false => &mut habit.silent,
        };
        *count = count.saturating_add(1);
        if *count == u8::MAX {
            *habit = Habit {
                greeted: habit.greeted / 2,
                silent: habit.silent / 2,
            };
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(greeted: usize, silent: usize) -> Habits {
        let habits = (0..silent).fold(Habits::default(), |habits, _| habits.with(Kind::Asked, false));
        (0..greeted).fold(habits, |habits, _| habits.with(Kind::Asked, true))
    }

    #[test]
    fn a_habit_has_no_exception() {
        let enough = usize::from(ENOUGH);
        assert!(!after(enough - 1, 0).greets(Kind::Asked));
        assert!(after(enough, 0).greets(Kind::Asked));
        assert!(after(1000, 0).greets(Kind::Asked));
        assert!(!after(enough, 0).greets(Kind::Unasked));
        assert!(!after(100, 1).greets(Kind::Asked));
    }

    #[test]
    fn an_exception_is_forgotten_at_last() {
        assert!(after(300, 1).greets(Kind::Asked));
    }
}
