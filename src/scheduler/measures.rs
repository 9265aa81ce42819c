//! How long tasks have waited and run, by the names of the tasks, in the buckets of the metrics. Recording a time costs
//! a few comparisons. A pool has few names; those beyond the limit share one place.

use std::sync::Arc;

/// Upper bounds of the buckets in nanoseconds: a factor of about 2.5, from 50 µs to a minute.
pub const BOUNDS: [u64; 19] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
];

/// The number of names that have a place of their own.
const NAMES: usize = 100;

/// The place of a name.
pub(super) type Place = u8;

/// The place of all names beyond that.
const OTHER: Place = 0;

/// Times of one kind.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// The number of times up to each bound and above the one before. The last one counts those above all bounds.
    pub counts: [u64; BOUNDS.len() + 1],
    /// The sum of all times, in nanoseconds.
    pub sum: u64,
}

impl Buckets {
    fn add(&mut self, ns: u64) {
        // Most times are short.
        let bucket = match ns <= BOUNDS[0] {
            true => 0,
            false => BOUNDS.partition_point(|&bound| bound < ns),
        };
        self.counts[bucket] += 1;
        self.sum += ns;
    }
}

/// The name of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A native task, by its number.
    Native(u32),
    /// The name of an export, or a name that stands for inline functions.
    Script(Arc<str>),
    /// All others.
    Other,
}

impl Name {
    /// The name that all others share.
    pub const OTHER: &str = "other";
}

/// The times of the tasks of one name.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The name.
    pub name: Name,
    /// From submission to start.
    pub wait: Buckets,
    /// From start to end.
    pub run: Buckets,
}

impl Measure {
    fn new(name: Name) -> Self {
        Self {
            name,
            wait: Buckets::default(),
            run: Buckets::default(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Measures {
    /// By place.
    all: Vec<Measure>,
    /// The places of native tasks, by the numbers of the tasks.
    natives: Vec<Place>,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            all: vec![Measure::new(Name::Other)],
            natives: Vec::new(),
        }
    }
}

impl Measures {
    /// The place of a script task's name.
    pub(super) fn place_of(&mut self, name: &Arc<str>) -> Place {
        if **name == *Name::OTHER {
            return OTHER;
        }
        self.place(Name::Script(Arc::clone(name)))
    }

    /// The place of a native task's name.
    pub(super) fn place_of_native(&mut self, target: u32) -> Place {
        let index = target as usize;
        if let Some(&place) = self.natives.get(index)
            && place != OTHER
        {
            return place;
        }
        let place = self.place(Name::Native(target));
        // A number without a place of its own is not remembered.
        if place != OTHER {
            self.natives
                .resize(self.natives.len().max(index + 1), OTHER);
            self.natives[index] = place;
        }
        place
    }

    fn place(&mut self, name: Name) -> Place {
        let known = self.all.iter().position(|measure| measure.name == name);
        let place = known.unwrap_or_else(|| {
            if self.all.len() > NAMES {
                return OTHER as usize;
            }
            self.all.push(Measure::new(name));
            self.all.len() - 1
        });
        Place::try_from(place).expect("there are fewer names")
    }

    pub(super) fn waited(&mut self, place: Place, ns: u64) {
        self.all[place as usize].wait.add(ns);
    }

    pub(super) fn ran(&mut self, place: Place, ns: u64) {
        self.all[place as usize].run.add(ns);
    }

    /// The measures that have any times.
    pub(super) fn told(&self) -> Vec<Measure> {
        let any = |measure: &&Measure| measure.wait.counts.iter().any(|&count| count > 0);
        self.all.iter().filter(any).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_it_is_not_above() {
        let mut buckets = Buckets::default();
        for ns in [0, 50_000, 50_001, 100_000, 60_000_000_000, u64::MAX / 2] {
            buckets.add(ns);
        }
        let counts: Vec<_> = buckets
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, &count)| (bucket, count))
            .collect();
        assert_eq!(counts, [(0, 2), (1, 2), (18, 1), (19, 1)]);
    }

    #[test]
    fn names_have_a_place_each_up_to_a_hundred_then_they_share_one() {
        let mut measures = Measures::default();
        let name = |n: u32| -> Arc<str> { format!("task {n}").into() };
        let first = measures.place_of_native(7);
        assert_eq!(measures.place_of_native(7), first);
        let places: Vec<_> = (0..120).map(|n| measures.place_of(&name(n))).collect();
        assert!(places[..99].iter().all(|&place| place != OTHER));
        assert!(places[99..].iter().all(|&place| place == OTHER));
        assert_eq!(measures.place_of(&name(3)), places[3]);
        assert_eq!(measures.place_of_native(8), OTHER);
        measures.waited(first, 1);
        measures.waited(OTHER, 1);
        let told: Vec<_> = measures
            .told()
            .into_iter()
            .map(|measure| measure.name)
            .collect();
        assert_eq!(told, [Name::Other, Name::Native(7)]);
    }
}
