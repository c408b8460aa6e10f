//! What the fuzzers found and what they grew from it, once more.

use std::{fs, path::Path, vec::Vec};

use super::{Player, play_sockets};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).expect("the corpus");
    files.map(|file| fs::read(file.expect("a file").path()).expect("a story")).collect()
}

#[test]
fn stories_of_the_pipelines_corpus_end_well() {
    let stories = corpus("pipeline");
    assert!(!stories.is_empty());
    for story in &stories {
        Player::play(story);
    }
}

#[test]
fn stories_of_the_sockets_corpus_end_well() {
    let stories = corpus("sockets");
    assert!(!stories.is_empty());
    for story in &stories {
        play_sockets(story);
    }
}
