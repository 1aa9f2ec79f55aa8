//! The last few things that were asked for, kept for whoever asks again.

use std::collections::VecDeque;

/// At most so many values by their keys; the one that was not asked for longest goes first.
#[derive(Debug)]
pub struct Recent<K, V> {
    most: usize,
    /// The latest first.
    kept: VecDeque<(K, V)>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    /// Keeps at most so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, kept: VecDeque::new() }
    }

    /// The value of a key, where it is still kept.
    pub fn get(&mut self, key: &K) -> Option<V> {
        let place = self.kept.iter().position(|(one, _)| one == key)?;
        let found = self.kept.remove(place)?;
        let value = found.1.clone();
        self.kept.push_front(found);
        Some(value)
    }

    /// Keeps the value of a key that is not kept yet.
    pub fn keep(&mut self, key: K, value: V) {
        self.kept.push_front((key, value));
        self.kept.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let mut recent = Recent::new(2);
        recent.keep("a", 1);
        recent.keep("b", 2);
        assert_eq!(recent.get(&"a"), Some(1));
        recent.keep("c", 3);
        assert_eq!([recent.get(&"a"), recent.get(&"b"), recent.get(&"c")], [Some(1), None, Some(3)]);
    }
}
