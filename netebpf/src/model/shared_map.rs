//! Maps whose copies share what they hold, so that a spec can be copied for each change and compared with the last one.

use std::{cmp::Ordering, collections::BTreeMap, fmt, iter, ops::Index, sync::Arc};

/// An ordered map that shares its values with its copies until they are changed. A copy costs a reference for each value,
/// and a value that both still share is known to be the same without a look.
pub struct SharedMap<K, V>(BTreeMap<K, Arc<V>>);

impl<K: Ord, V> SharedMap<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a value for a key.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(|value| &**value)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, Arc::new(value));
    }

    /// Forgets a key; returns whether it had a value.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    /// All values, in the order of their keys.
    #[must_use]
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.values().map(|value| &**value)
    }

    /// All keys with their values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value))
    }

    /// The same values by the keys that are chosen.
    #[must_use]
    pub fn select<'k>(&self, keys: impl IntoIterator<Item = &'k K>) -> Self
    where
        K: Copy + 'k,
    {
        Self(keys.into_iter().filter_map(|key| Some((*key, Arc::clone(self.0.get(key)?)))).collect())
    }
}

impl<K: Ord, V> Index<&K> for SharedMap<K, V> {
    type Output = V;

    /// The value of a key that is there; panics if it is not.
    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}

impl<K: Ord, V: Clone> SharedMap<K, V> {
    /// The value of a key, to be changed. Copies of the map keep theirs.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    /// All values, to be changed; each is copied if it is shared.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.values_mut().map(Arc::make_mut)
    }
}

impl<K: Ord, V: PartialEq> SharedMap<K, V> {
    /// The keys of what is in only one of two maps, or not the same in both, in order.
    pub fn changed<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = &'a K> {
        let (mut old, mut new) = (earlier.0.iter().peekable(), self.0.iter().peekable());
        iter::from_fn(move || {
            loop {
                let (before, after) = (old.peek().copied(), new.peek().copied());
                if let (Some((_, before)), Some((_, after))) = (before, after)
                    && Arc::ptr_eq(before, after)
                {
                    // A value has one key.
                    old.next();
                    new.next();
                    continue;
                }
                let order = match (before, after) {
                    (None, None) => return None,
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some((before, _)), Some((after, _))) => before.cmp(after),
                };
                let before = if order.is_le() { old.next() } else { None };
                let after = if order.is_ge() { new.next() } else { None };
                if before.map(|(_, value)| value) != after.map(|(_, value)| value) {
                    return before.or(after).map(|(key, _)| key);
                }
            }
        })
    }
}

fn is_same<V: PartialEq>(one: &Arc<V>, other: &Arc<V>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

impl<K: Clone, V> Clone for SharedMap<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && pairs.all(|(one, other)| one.0 == other.0 && is_same(one.1, other.1))
    }
}

impl<K: Eq, V: Eq> Eq for SharedMap<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SharedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key, Arc::new(value))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_keeps_what_the_other_one_changes() {
        let first: SharedMap<_, _> = [(1, "a".to_owned()), (2, "b".to_owned())].into_iter().collect();
        let mut second = first.clone();
        assert_eq!(first, second);
        second.get_mut(&1).expect("a value").push('x');
        second.insert(3, "c".to_owned());
        assert!(second.remove(&2) && !second.remove(&2));
        assert_eq!(
            first.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>(),
            [(1, "a"), (2, "b")]
        );
        assert_eq!(
            second.iter().map(|(key, value)| (*key, value.as_str())).collect::<Vec<_>>(),
            [(1, "ax"), (3, "c")]
        );
        assert_eq!(second.changed(&first).copied().collect::<Vec<_>>(), [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn what_has_changed_is_what_differs(old: BTreeMap<u8, u8>, new: BTreeMap<u8, u8>, shared: Vec<u8>) {
            let earlier: SharedMap<_, _> = old.clone().into_iter().collect();
            let mut later: SharedMap<_, _> = new.clone().into_iter().collect();
            for key in shared.iter().filter(|key| old.contains_key(key)) {
                later.0.insert(*key, Arc::clone(&earlier.0[key]));
            }
            let wanted: Vec<_> = (0..=u8::MAX).filter(|key| earlier.get(key) != later.get(key)).collect();
            prop_assert_eq!(later.changed(&earlier).copied().collect::<Vec<_>>(), wanted);
        }
    }

    #[test]
    fn what_is_equal_is_the_same_also_if_it_is_not_shared() {
        let map = || [(1, vec![1, 2]), (2, Vec::new())].into_iter().collect::<SharedMap<_, _>>();
        assert_eq!(map(), map());
        assert_eq!(map().changed(&map()).count(), 0);
        let mut other = map();
        other.values_mut().for_each(|value| value.push(3));
        assert_ne!(map(), other);
        assert_eq!(other.select([&2, &7]).keys().copied().collect::<Vec<_>>(), [2]);
    }
}
