//! What a command finds in its sandbox, and what becomes of one that cannot be started.

use anyhow::Result;

use crate::stage;

fn run<'a>(name: &'a str, command: &[&'a str]) -> Vec<&'a str> {
    [&["run", "--rm", "--name", name, "--network", "front", "--"], command].concat()
}

#[test]
fn a_command_sees_the_devices_of_its_sandbox() -> Result<()> {
    let stage = stage::shared();
    let said = stage.engine.cli(&run("devices", &["ls", "/sys/class/net"]))?;
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "eth0\nlo\n"), "{said:?}");
    Ok(())
}

#[test]
fn a_command_that_cannot_be_started_ends_as_a_shell_would() -> Result<()> {
    let stage = stage::shared();
    for (program, code, text) in [
        ("/no/such/program", 127, "executable file not found in $PATH"),
        ("no-such-program", 127, "executable file not found in $PATH"),
        ("/proc/version", 126, "Permission denied"),
        ("/etc", 126, "Permission denied"),
    ] {
        for detach in [None, Some("--detach")] {
            let mut arguments = run("refused", &[program]);
            arguments.splice(1..1, detach);
            let said = stage.engine.cli(&arguments)?;
            assert_eq!(said.code, Some(code), "{said:?}");
            assert!(said.stderr.contains(&format!("exec: {program:?}: ")), "{said:?}");
            assert!(said.stderr.contains(text), "{said:?}");
        }
    }
    assert!(!stage.engine.ok(&["ps", "-a"])?.contains("refused"));
    Ok(())
}

#[test]
fn a_command_that_a_signal_ends_counts_from_128() -> Result<()> {
    let stage = stage::shared();
    // A program that ignores a closed pipe would end with an error of its own.
    for (script, code) in [("kill -KILL $$", 137), ("kill -PIPE $$", 141)] {
        let said = stage.engine.cli(&run("signalled", &["sh", "-c", script]))?;
        assert_eq!(said.code, Some(code), "{said:?}");
    }
    Ok(())
}
