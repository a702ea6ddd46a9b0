//! Lists of connections in the order of their last piece, linked through their slots.
//!
//! All connections of one queue share one timeout, so the front is always the next that is due: nothing is searched,
//! neither to expire nor to evict. Every operation is O(1).

/// No slot.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
    /// Index of the queue the slot is in, if any.
    queue: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    front: u32,
    back: u32,
}

/// `N` queues; a slot is in at most one of them.
#[derive(Debug)]
pub(crate) struct Queues<const N: usize> {
    ends: [Ends; N],
    links: Vec<Link>,
}

impl<const N: usize> Queues<N> {
    pub fn new() -> Self {
        Self {
            ends: [Ends {
                front: NONE,
                back: NONE,
            }; N],
            links: Vec::new(),
        }
    }

    /// The slot that is the longest in `queue`.
    pub fn front(&self, queue: usize) -> Option<u32> {
        Some(self.ends[queue].front).filter(|slot| *slot != NONE)
    }

    /// Whether `slot` is in a queue.
    pub fn contains(&self, slot: u32) -> bool {
        self.links
            .get(slot as usize)
            .is_some_and(|link| link.queue.is_some())
    }

    /// Puts `slot` last in `queue`, and takes it out of where it was.
    pub fn push_back(&mut self, queue: usize, slot: u32) {
        self.remove(slot);
        let index = slot as usize;
        if index >= self.links.len() {
            self.links.resize(
                index + 1,
                Link {
                    previous: NONE,
                    next: NONE,
                    queue: None,
                },
            );
        }
        let back = self.ends[queue].back;
        self.links[index] = Link {
            previous: back,
            next: NONE,
            queue: Some(queue as u8),
        };
        match back {
            NONE => self.ends[queue].front = slot,
            back => self.links[back as usize].next = slot,
        }
        self.ends[queue].back = slot;
    }

    /// Takes `slot` out of the queue it is in.
    pub fn remove(&mut self, slot: u32) {
        let Some(link) = self.links.get_mut(slot as usize) else {
            return;
        };
        let Some(queue) = link.queue.take() else { return };
        let Link { previous, next, .. } = *link;
        let ends = &mut self.ends[usize::from(queue)];
        match previous {
            NONE => ends.front = next,
            previous => self.links[previous as usize].next = next,
        }
        match next {
            NONE => ends.back = previous,
            next => self.links[next as usize].previous = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queues: &mut Queues<2>, queue: usize) -> Vec<u32> {
        std::iter::from_fn(|| queues.front(queue).inspect(|slot| queues.remove(*slot))).collect()
    }

    #[test]
    fn slots_leave_in_the_order_they_came() {
        let mut queues = Queues::<2>::new();
        for slot in [3, 0, 2, 1] {
            queues.push_back(0, slot);
        }
        queues.push_back(0, 0);
        queues.push_back(1, 2);
        queues.remove(7);
        assert!(queues.contains(2) && !queues.contains(7));
        assert_eq!(drain(&mut queues, 0), [3, 1, 0]);
        assert_eq!(drain(&mut queues, 1), [2]);
        assert!(!queues.contains(2));
        queues.push_back(1, 5);
        queues.remove(5);
        queues.remove(5);
        assert_eq!(queues.front(1), None);
    }
}
