//! What is costly to make, is asked for often, and does not change: reports, profiles.

use std::sync::{Arc, Mutex, PoisonError};

/// Where one is put when it is made.
type Place<V> = Arc<Mutex<Option<Arc<V>>>>;

/// The values that were asked for last, by key.
pub struct Kept<K, V> {
    /// The one that was asked for last stands last.
    places: Mutex<Vec<(K, Place<V>)>>,
    most: usize,
}

impl<K: PartialEq, V> Kept<K, V> {
    /// Keeps at most so many.
    pub fn new(most: usize) -> Self {
        Kept { places: Mutex::default(), most }
    }

    /// The value of a key, which is made if it is not there. Who asks for one that is being made waits for it.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get<E>(&self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let known = places.iter().position(|(of, _)| *of == key);
            let place = known.map(|at| places.remove(at).1).unwrap_or_default();
            if places.len() >= self.most {
                places.remove(0);
            }
            places.push((key, Arc::clone(&place)));
            place
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*place {
            return Ok(value.clone());
        }
        let value = Arc::new(make()?);
        *place = Some(value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_is_kept_and_failures_are_not() {
        let kept = Kept::new(2);
        let made = |key: i32| {
            let mut is_made = false;
            let value = kept.get(key, || {
                is_made = true;
                Ok::<i32, ()>(key)
            });
            assert_eq!(value.as_deref(), Ok(&key));
            is_made
        };
        assert_eq!(kept.get(1, || Err("no")), Err("no"));
        assert_eq!([1, 2, 1, 3, 1, 2].map(made), [true, true, false, true, false, true]);
    }
}
