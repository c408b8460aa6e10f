//! Every netebpf command in README.md exists, with the options it is shown with.

use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use netebpf_tests::{engine::Engine, topology::World};

#[test]
fn the_readmes_commands_exist() -> Result<()> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"))?;
    let commands = commands(&readme);
    assert!(!commands.is_empty(), "README.md shows no command of netebpf");

    let engine = Engine::stopped(Arc::new(World::new("readme")?))?;
    for command in commands {
        // clap checks everything before `--help`; what follows `--` is the sandbox's command.
        let ours = command.split(|word| word == "--").next().unwrap_or_default();
        let mut args: Vec<_> = ours.iter().map(String::as_str).collect();
        args.push("--help");
        let said = engine.cli(&args)?;
        assert_eq!(said.code, Some(0), "`{}`: {}", command.join(" "), said.stderr);
    }
    Ok(())
}

/// The arguments of each line of a fenced block that calls netebpf, directly or through `cargo xtask run`.
fn commands(markdown: &str) -> Vec<Vec<String>> {
    let joined = markdown.replace("\\\n", " ");
    let mut in_block = false;
    let mut commands = Vec::new();
    for line in joined.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            let line = line.trim_start().trim_start_matches(['$', '#', ' ']).trim_start_matches("sudo ");
            let ours =
                ["netebpf ", "./target/release/netebpf ", "target/release/netebpf ", "cargo xtask run -- "];
            commands.extend(ours.iter().find_map(|prefix| line.strip_prefix(prefix)).map(words));
        }
    }
    commands
}

/// Words of a shell line without its comment; the README quotes nothing but whole words.
fn words(line: &str) -> Vec<String> {
    let words = line
        .split_whitespace()
        .take_while(|word| !word.starts_with('#') && !matches!(*word, "&" | "|" | ">"));
    words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}
