//! What was acknowledged is there after a kill at any moment.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use super::*;

/// Names the state directory for the process that is to be killed.
const VICTIM: &str = "NETEBPF_STORE_VICTIM";

/// How often a process is killed.
const KILLS: u64 = 12;

/// Commits the numbers from the last one on, and says each on its output once it is stored.
fn commit_until_killed(state_dir: &Path) {
    let mut store = Store::open(state_dir).expect("the store");
    let mut output = std::io::stdout().lock();
    for number in present(&store) + 1.. {
        store.set_number("commit", number).expect("a commit");
        writeln!(output, "\ncommitted {number}").and_then(|()| output.flush()).expect("somebody listens");
    }
}

fn present(store: &Store) -> u64 {
    store.contents.numbers.get("commit").copied().unwrap_or(0)
}

#[test]
fn every_acknowledged_commit_is_there_after_a_kill() {
    if let Some(state_dir) = env::var_os(VICTIM) {
        return commit_until_killed(Path::new(&state_dir));
    }
    let directory = scratch();
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut victim = Command::new(env::current_exe().expect("this test"))
            .args([
                "--exact",
                "store::tests::kill::every_acknowledged_commit_is_there_after_a_kill",
                "--nocapture",
            ])
            .env(VICTIM, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let output = BufReader::new(victim.stdout.take().expect("its output"));
        let mut numbers = output.lines().map_while(Result::ok);
        let mut numbers = numbers.by_ref().filter_map(|line| line.strip_prefix("committed ")?.parse().ok());
        // The next commit is under way when it dies; how far it gets is up to the machine.
        acknowledged = numbers.by_ref().nth(usize::try_from(kill % 5).expect("small")).expect("it commits");
        victim.kill().expect("it runs");
        victim.wait().expect("it ends");
        acknowledged = numbers.last().unwrap_or(acknowledged);
        let store = Store::open(directory.path()).expect("nothing is damaged");
        assert_eq!(store.recovery(), None);
        // The one that was not acknowledged any more may be there as well.
        assert!(
            [acknowledged, acknowledged + 1].contains(&present(&store)),
            "{} of {acknowledged}",
            present(&store)
        );
    }
    assert!(acknowledged >= KILLS);
}
