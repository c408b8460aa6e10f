//! What was saved is loaded; what cannot be loaded is refused with the way out.

mod damage;
mod kill;

use std::fs;

use proptest::prelude::*;
use redb::TableDefinition;

use super::*;
use crate::model::arbitrary;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[track_caller]
fn refusal(state_dir: &Path) -> String {
    match Store::open(state_dir).map(|store| store.spec()) {
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
        prop_assert_eq!(store.spec(), Spec::default());
        for spec in specs {
            store.save(&spec)?;
            prop_assert_eq!(&store.spec(), &spec);
            drop(store);
            store = Store::open(directory.path())?;
            prop_assert_eq!(&store.spec(), &spec);
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

/// A file with one table, which holds one number.
fn write_table(state_dir: &Path, table: &str, name: &str, number: u64) {
    let database = redb::Database::create(state_dir.join(FILE)).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    let table = TableDefinition::<&str, u64>::new(table);
    transaction.open_table(table).expect("a table").insert(name, number).expect("a number");
    transaction.commit().expect("it can be written");
}

#[test]
fn another_format_is_refused() {
    let directory = scratch();
    write_table(directory.path(), "meta", "format", FORMAT + 1);
    let text = refusal(directory.path());
    let formats = format!("has format {}, this netebpf reads format {FORMAT}", FORMAT + 1);
    assert!(text.contains(&formats), "{text}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = scratch();
    write_table(directory.path(), "theirs", "one", 1);
    let text = refusal(directory.path());
    assert!(text.contains("is damaged") && text.contains("netebpf cleanup"), "{text}");
}

#[test]
fn a_state_directory_that_is_a_file_is_refused() {
    let directory = scratch();
    let file = directory.path().join("state");
    fs::write(&file, "").expect("a file");
    let text = refusal(&file);
    assert!(text.starts_with("cannot make or change the state directory"), "{text}");
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
