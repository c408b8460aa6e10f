//! What becomes of an engine whose files were damaged?

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use netebpf_tests::{scenario::reach, topology::World};

use crate::stage;

const GARBAGE: &[u8] = b"no state at all";

/// The state file and its journal.
fn files(world: &World) -> [PathBuf; 2] {
    ["state.redb", "state.journal"].map(|name| world.state_dir().join(name))
}

/// Something done to a file.
type Harm<'a> = &'a dyn Fn(&Path) -> std::io::Result<()>;

#[test]
fn a_damaged_state_file_costs_nothing_and_is_told() -> Result<()> {
    let stage = stage::alone("damaged");
    let [file, journal] = files(&stage.world);
    let cut = |file: &Path| fs::OpenOptions::new().write(true).open(file)?.set_len(5000);
    let garbage = |file: &Path| fs::write(file, GARBAGE);
    let nothing = |file: &Path| fs::remove_file(file);
    let harms: [(Harm<'_>, &str); 3] =
        [(&cut, "is damaged"), (&garbage, "is damaged"), (&nothing, "is missing or empty")];
    for (harm, fault) in harms {
        let networks = stage.engine.ok(&["network", "ls"])?;
        let sandboxes = stage.engine.ok(&["ps", "--all", "--quiet"])?;
        let before = stage.engine.log().len();
        stage.engine.kill()?;
        harm(&file)?;
        stage.engine.launch()?;

        let log = stage.engine.log();
        let told = log[before..].lines().find(|line| line.contains(&*file.to_string_lossy()));
        let told = told.unwrap_or_else(|| panic!("nothing about {} in\n{log}", file.display()));
        for part in ["WARN", fault, &journal.to_string_lossy(), "what was changed later is lost"] {
            assert!(told.contains(part), "no {part} in {told}");
        }
        assert_eq!(stage.engine.ok(&["network", "ls"])?, networks);
        assert_eq!(stage.engine.ok(&["ps", "--all", "--quiet"])?, sandboxes);
        assert_eq!(stage.engine.ok(&["plan"])?.trim(), "nothing to do");
        stage::holds(reach::containers_of_one_network_reach_each_other(&stage));
    }
    assert_eq!(fs::read(stage.world.state_dir().join("state.redb.damaged-2"))?, GARBAGE);
    Ok(())
}

#[test]
fn two_damaged_files_are_named_and_kept() -> Result<()> {
    let stage = stage::alone("damaged-both");
    stage.engine.terminate()?;
    let files = files(&stage.world);
    let contents = [fs::read(&files[0])?, fs::read(&files[1])?];
    for file in &files {
        fs::write(file, GARBAGE)?;
    }
    let said = stage.engine.cli(&["daemon"])?;
    assert_eq!(said.code, Some(1), "{said:?}");
    for (file, content) in files.iter().zip(contents) {
        assert!(said.stderr.contains(&*file.to_string_lossy()), "{said:?}");
        assert_eq!(fs::read(file)?, GARBAGE, "a damaged file must stay for repair");
        fs::write(file, content)?;
    }
    stage.engine.launch()?;
    assert_eq!(stage.engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}
