//! What was saved is loaded; what cannot be loaded is refused with the way out.

use proptest::prelude::*;

use super::*;
use crate::model::arbitrary;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[track_caller]
fn refusal(state_dir: &Path) -> String {
    match Store::open(state_dir).and_then(|store| store.load()) {
        Ok(spec) => panic!("the file was taken: {spec:?}"),
        Err(error) => error.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_saved_spec_is_loaded_also_after_reopening(specs in prop::collection::vec(arbitrary::spec(), 1..4)) {
        let directory = scratch();
        let mut store = Store::open(directory.path())?;
        prop_assert_eq!(store.load()?, Spec::default());
        for spec in specs {
            store.save(&spec)?;
            prop_assert_eq!(&store.load()?, &spec);
            drop(store);
            store = Store::open(directory.path())?;
            prop_assert_eq!(&store.load()?, &spec);
        }
    }
}

#[test]
fn an_engine_keeps_its_global_id_and_shares_it_with_none() {
    let (one, other) = (scratch(), scratch());
    let id = |directory: &tempfile::TempDir| {
        Store::open(directory.path()).and_then(|store| store.global_id()).expect("an id")
    };
    assert_eq!(id(&one), id(&one));
    assert_ne!(id(&one), id(&other));
}

#[test]
fn a_second_daemon_is_refused() {
    let directory = scratch();
    let first = Store::open(directory.path()).expect("the first one");
    assert_eq!(
        refusal(directory.path()),
        format!("another netebpf daemon uses {}", directory.path().display())
    );
    drop(first);
    Store::open(directory.path()).expect("free again");
}

#[test]
fn another_format_is_refused() {
    let directory = scratch();
    let store = Store::open(directory.path()).expect("a new store");
    let newer = store.write(|transaction| {
        transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT + 1)?;
        Ok(true)
    });
    newer.expect("it can be written");
    drop(store);
    let text = refusal(directory.path());
    assert!(text.contains("has format 5, this netebpf reads format 4"), "{text}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = scratch();
    let database = Database::create(directory.path().join(FILE)).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(TableDefinition::<u64, u64>::new("theirs")).expect("a table");
    transaction.commit().expect("it can be written");
    drop(database);
    let text = refusal(directory.path());
    assert!(text.contains("is damaged") && text.contains("netebpf cleanup"), "{text}");
}

#[test]
fn a_state_directory_that_is_a_file_is_refused() {
    let directory = scratch();
    let file = directory.path().join("state");
    fs::write(&file, "").expect("a file");
    let text = refusal(&file);
    assert!(text.starts_with("cannot make the state directory"), "{text}");
}

#[test]
fn text_in_place_of_a_database_is_refused() {
    for content in ["x", "not a database", &"x".repeat(1 << 20)] {
        let directory = scratch();
        fs::write(directory.path().join(FILE), content).expect("a file");
        let text = refusal(directory.path());
        assert!(text.contains("state.redb is damaged") && text.contains("netebpf cleanup"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A flipped byte is found or harmless; a file cut short is found.
    #[test]
    fn a_damaged_file_is_refused_or_read_right(
        spec in arbitrary::spec(),
        position in any::<prop::sample::Index>(),
        flip in prop::option::of(1..=255_u8),
    ) {
        let directory = scratch();
        let mut store = Store::open(directory.path())?;
        store.save(&spec)?;
        drop(store);
        let file = directory.path().join(FILE);
        let mut bytes = fs::read(&file)?;
        let position = position.index(bytes.len());
        match flip {
            Some(flip) => bytes[position] ^= flip,
            None => bytes.truncate(position),
        }
        fs::write(&file, bytes)?;
        match Store::open(directory.path()).and_then(|store| store.load()) {
            Ok(loaded) => prop_assert!(loaded == spec || (flip.is_none() && position == 0)),
            Err(Error::Damaged { .. } | Error::Format { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
