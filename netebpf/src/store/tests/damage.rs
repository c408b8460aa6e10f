//! A damaged file costs nothing as long as its journal is whole, and the other way round.

use std::fs;

use proptest::{
    collection::vec, prelude::*, sample::Index, strategy::ValueTree as _, test_runner::TestRunner,
};

use super::*;

/// What happens to a file.
#[derive(Debug, Clone)]
enum Harm {
    /// It is cut short at this place.
    Cut(Index),
    /// One byte of it becomes another.
    Flip(Index, u8),
    /// Some kilobytes of it are overwritten.
    Overwrite(Index, Vec<u8>),
    /// It is removed.
    Remove,
}

impl Harm {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            4 => any::<Index>().prop_map(Self::Cut),
            4 => (any::<Index>(), 1..=255_u8).prop_map(|(place, flip)| Self::Flip(place, flip)),
            2 => (any::<Index>(), vec(any::<u8>(), 1..8192)).prop_map(|(place, bytes)| Self::Overwrite(place, bytes)),
            1 => Just(Self::Remove),
        ]
    }

    fn apply(&self, file: &Path) {
        let mut bytes = fs::read(file).expect("the file");
        match self {
            Self::Cut(place) => bytes.truncate(place.index(bytes.len())),
            Self::Flip(place, flip) => {
                let place = place.index(bytes.len());
                bytes[place] ^= flip;
            }
            Self::Overwrite(place, garbage) => {
                let place = place.index(bytes.len());
                let end = bytes.len().min(place + garbage.len());
                bytes[place..end].copy_from_slice(&garbage[..end - place]);
            }
            Self::Remove => return fs::remove_file(file).expect("the file"),
        }
        fs::write(file, bytes).expect("the file");
    }
}

/// Saves one spec after the other; returns a directory with what a loss of power leaves, or an orderly end.
fn written(specs: &[Spec], is_orderly: bool) -> tempfile::TempDir {
    let (directory, image) = (scratch(), scratch());
    let mut store = Store::open(directory.path()).expect("a new store");
    for spec in specs {
        store.save(spec).expect("it can be written");
    }
    if is_orderly {
        drop(store);
    }
    for file in fs::read_dir(directory.path()).expect("files").flatten() {
        fs::copy(file.path(), image.path().join(file.file_name())).expect("a copy");
    }
    image
}

fn files(directory: &Path) -> (PathBuf, PathBuf) {
    (directory.join(FILE), journal::path(directory))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_damaged_state_file_costs_nothing(
        specs in vec(arbitrary::spec(), 1..4),
        is_orderly in any::<bool>(),
        harm in Harm::any(),
    ) {
        let image = written(&specs, is_orderly);
        harm.apply(&files(image.path()).0);
        let store = Store::open(image.path())?;
        prop_assert_eq!(Some(&store.spec()), specs.last());
        drop(store);
        // Repaired for good.
        let store = Store::open(image.path())?;
        prop_assert_eq!(store.recovery(), None);
        prop_assert_eq!(Some(&store.spec()), specs.last());
    }

    #[test]
    fn a_damaged_journal_costs_nothing(
        specs in vec(arbitrary::spec(), 1..4),
        is_orderly in any::<bool>(),
        harm in Harm::any(),
    ) {
        let image = written(&specs, is_orderly);
        harm.apply(&files(image.path()).1);
        let store = Store::open(image.path())?;
        prop_assert_eq!(Some(&store.spec()), specs.last());
        prop_assert_eq!(store.recovery(), None);
    }

    /// With both damaged something that was there is used, or nothing.
    #[test]
    fn two_damaged_files_are_refused_or_give_a_state_that_was_there(
        specs in vec(arbitrary::spec(), 1..4),
        is_orderly in any::<bool>(),
        harms in [Harm::any(), Harm::any()],
    ) {
        let image = written(&specs, is_orderly);
        let (file, journal) = files(image.path());
        harms[0].apply(&file);
        harms[1].apply(&journal);
        match Store::open(image.path()) {
            Ok(store) => {
                let loaded = store.spec();
                let is_new = loaded == Spec::default();
                prop_assert!(is_new || specs.contains(&loaded), "{loaded:?}");
            }
            Err(Error::BothDamaged { .. } | Error::Damaged { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

fn one_spec() -> Spec {
    let mut runner = TestRunner::deterministic();
    let specs = (0..).map(|_| arbitrary::spec().new_tree(&mut runner).expect("a spec").current());
    specs.into_iter().find(|spec| !spec.networks.is_empty()).expect("one with networks")
}

#[test]
fn a_damaged_file_is_kept_and_named() {
    let spec = one_spec();
    let image = written(std::slice::from_ref(&spec), true);
    let (file, journal) = files(image.path());
    for number in 1..3 {
        fs::write(&file, "no state at all").expect("the file");
        let store = Store::open(image.path()).expect("the journal is whole");
        let told = store.recovery().expect("it was damaged");
        let aside = image.path().join(format!("state.redb.damaged-{number}"));
        for part in [&file, &journal, &aside].map(|path| path.display().to_string()) {
            assert!(told.contains(&part), "no {part} in {told}");
        }
        assert!(told.contains("what was changed later is lost"), "{told}");
        assert_eq!(fs::read(&aside).expect("it is kept"), b"no state at all");
        assert_eq!(store.spec(), spec);
    }
}

#[test]
fn an_empty_state_file_with_a_journal_is_not_taken_for_a_new_one() {
    let image = written(&[one_spec()], true);
    let (file, _) = files(image.path());
    fs::write(&file, "").expect("the file");
    let store = Store::open(image.path()).expect("the journal is whole");
    assert!(store.recovery().is_some_and(|told| told.contains("is missing or empty")));
    assert_eq!(store.spec(), one_spec());
}

#[test]
fn two_damaged_files_are_refused_and_stay() {
    let image = written(&[one_spec()], true);
    let (file, journal) = files(image.path());
    for path in [&file, &journal] {
        fs::write(path, "no state at all").expect("a file");
    }
    let text = refusal(image.path());
    for part in [&*file.to_string_lossy(), &*journal.to_string_lossy(), "restore both", "netebpf cleanup"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    for path in [&file, &journal] {
        assert_eq!(fs::read(path).expect("it is kept"), b"no state at all");
    }
}

#[test]
fn a_lost_file_with_a_damaged_journal_is_refused() {
    let image = written(&[one_spec()], true);
    let (file, journal) = files(image.path());
    fs::remove_file(&file).expect("the file");
    fs::write(&journal, "x").expect("the journal");
    for _ in 0..2 {
        let text = refusal(image.path());
        assert!(text.contains("is missing or empty"), "{text}");
    }
}

/// A copy of the state file from before, put back by itself, does not make the engine forget what it was told later.
#[test]
fn the_later_one_of_two_good_files_is_used() {
    let (before, after) = (Spec::default(), one_spec());
    let directory = scratch();
    let mut store = Store::open(directory.path()).expect("a new store");
    store.save(&before).expect("saved");
    drop(store);
    let (file, _) = files(directory.path());
    let old = fs::read(&file).expect("the file");
    let mut store = Store::open(directory.path()).expect("the store");
    store.save(&after).expect("saved");
    drop(store);
    fs::write(&file, old).expect("the file");
    let store = Store::open(directory.path()).expect("the store");
    assert_eq!(store.spec(), after);
    assert!(store.recovery().is_some_and(|told| told.contains("has lost its last 1 changes")));
}

#[test]
fn a_journal_does_not_grow_for_ever() {
    let directory = scratch();
    let spec = one_spec();
    let mut store = Store::open(directory.path()).expect("a new store");
    let (_, journal) = files(directory.path());
    let mut longest = 0;
    let mut has_shrunk = false;
    while !has_shrunk {
        store.save(&spec).expect("saved");
        store.save(&Spec::default()).expect("saved");
        let length = fs::metadata(&journal).expect("the journal").len();
        has_shrunk = length < longest;
        longest = longest.max(length);
        assert!(longest < 4 << 20, "{longest} bytes");
    }
}
