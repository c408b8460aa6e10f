//! Do imports point one way, and does only the right folder name the outside world?

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Finding, Outcome, none_of,
    rules::{RULES, Rules},
    source::{self, File, Named},
};
use crate::workspace::Workspace;

/// Checks every crate that has rules.
pub(super) fn check(workspace: &Workspace) -> Result<Outcome> {
    let mut findings = Vec::new();
    for file in source::files(workspace.root())? {
        for rules in RULES {
            findings.extend(judge(rules, &file));
        }
    }
    none_of(&findings)
}

fn judge(rules: &Rules, file: &File) -> Vec<Finding> {
    let Some(inside) = file.path.strip_prefix(rules.sources).and_then(|path| path.strip_prefix('/')) else {
        return Vec::new();
    };
    let Some(module) = inside.strip_suffix(".rs").filter(|module| !module.ends_with("tests")) else {
        return Vec::new();
    };
    let folder = module.split('/').next().unwrap_or(module);
    let code = source::without_tests(&source::code(&file.text));
    let found = [
        arrows(rules, folder, module, &code),
        reserved(rules, folder, &code),
        blocking(rules, folder, &code),
    ];
    let found =
        found.into_iter().flatten().map(|(position, message)| (source::line_of(&code, position), message));
    let found: BTreeSet<(usize, String)> = found.collect();
    found.into_iter().map(|(line, message)| Finding { path: file.path.clone(), line, message }).collect()
}

fn arrows(rules: &Rules, folder: &str, module: &str, code: &str) -> Vec<(usize, String)> {
    if rules.arrows.is_empty() {
        return Vec::new();
    }
    let lines = rules.arrows.iter().filter(|(name, _)| *name == folder);
    let allowed: Vec<&[&str]> = lines.map(|(_, allowed)| *allowed).collect();
    if allowed.is_empty() {
        return vec![(
            0,
            format!("folder {folder} has no import rule: give it a line in xtask/src/lint/rules.rs"),
        )];
    }
    let allowed = allowed.concat();
    let mut named = source::paths(code, "crate");
    // From a folder's own root, `super` is the crate.
    if module == folder || module == format!("{folder}/mod") {
        named.extend(source::paths(code, "super"));
    }
    let foreign = |path: &Named| {
        let target = path.segments[0].as_str();
        target != folder && rules.arrows.iter().any(|(name, _)| *name == target)
    };
    let mut found: Vec<_> = named
        .into_iter()
        .filter(|path| foreign(path) && !allowed.iter().any(|allowed| lies_below(&path.segments, allowed)))
        .map(|path| (path.position, forbidden(folder, &path.segments.join("::"), &allowed)))
        .collect();
    found.extend(code.match_indices("super::super::").map(|(position, _)| {
        (position, "`super::super` hides where an import leads: write `crate::…`".to_owned())
    }));
    found
}

fn forbidden(folder: &str, path: &str, allowed: &[&str]) -> String {
    let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    format!("{folder} may not import crate::{path}; of its own crate it may import: {allowed}")
}

fn reserved(rules: &Rules, folder: &str, code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for reserved in rules.reserved.iter().filter(|reserved| !reserved.folders.contains(&folder)) {
        for path in reserved.paths {
            let (root, below) = path.split_once("::").unwrap_or((path, ""));
            for named in source::paths(code, root) {
                if below.is_empty() || lies_below(&named.segments, below) {
                    found
                        .push((named.position, format!("{folder} may not name {path}: {}", reserved.reason)));
                }
            }
        }
    }
    found
}

fn blocking(rules: &Rules, folder: &str, code: &str) -> Vec<(usize, String)> {
    if !rules.blocking.contains(&folder) {
        return Vec::new();
    }
    let message = || format!("{folder} is pure and holds no async code (invariant 5)");
    ["async fn ", "async move ", "async {", ".await"]
        .iter()
        .flat_map(|word| code.match_indices(word))
        .map(|(position, _)| (position, message()))
        .collect()
}

fn lies_below(segments: &[String], path: &str) -> bool {
    let path: Vec<&str> = path.split("::").collect();
    segments.len() >= path.len() && path.iter().zip(segments).all(|(wanted, segment)| wanted == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(path: &str, text: &str, expected: &[(usize, &str)]) {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let findings: Vec<Finding> = RULES.iter().flat_map(|rules| judge(rules, &file)).collect();
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, (line, words)) in findings.iter().zip(expected) {
            assert_eq!(finding.line, *line, "{finding}");
            assert!(finding.message.contains(words), "{finding}");
        }
    }

    #[test]
    fn an_import_against_the_arrows_is_found() {
        let text = "use std::fmt;\nuse crate::{\n    model::Spec,\n    plan,\n};\n";
        finds("netebpf/src/model/network.rs", text, &[(2, "model may not import crate::plan")]);
        finds("netebpf/src/reconcile.rs", text, &[]);
    }

    #[test]
    fn super_from_a_folders_root_is_an_import() {
        finds("netebpf/src/model/mod.rs", "use super::daemon;\n", &[(1, "crate::daemon")]);
        finds("netebpf/src/model/network.rs", "use super::Name;\n", &[]);
        finds("netebpf/src/model/network.rs", "use super::super::plan;\n", &[(1, "super::super")]);
    }

    #[test]
    fn a_single_item_may_be_allowed() {
        finds("netebpf/src/kernel/execute.rs", "use crate::plan::Action;\n", &[]);
        finds(
            "netebpf/src/kernel/execute.rs",
            "use crate::plan::{Action, plan};\n",
            &[(1, "crate::plan::plan")],
        );
    }

    #[test]
    fn the_outside_world_is_named_only_at_the_edges() {
        finds("netebpf/src/plan/links.rs", "use std::{fmt, fs::File};\n", &[(1, "std::fs")]);
        finds("netebpf/src/daemon/mod.rs", "fn f() {\n    aya::Ebpf::load()\n}\n", &[(2, "name aya")]);
        finds("netebpf/src/kernel/mod.rs", "use aya::Ebpf;\nuse nix::sched;\nuse std::fs;\n", &[]);
        finds("netebpf/src/compile/mod.rs", "let now = std::time::Instant::now();\n", &[(1, "Instant")]);
        finds("netebpf/src/model/spec.rs", "use serde::Serialize;\n", &[(1, "invariant 11")]);
    }

    #[test]
    fn pure_folders_hold_no_async_code() {
        finds("netebpf/src/ipam/mod.rs", "pub async fn allocate() {}\n", &[(1, "invariant 5")]);
        finds("netebpf/src/daemon/mod.rs", "pub async fn serve() {}\n", &[]);
    }

    #[test]
    fn helpers_and_maps_stay_in_the_kernel_folder() {
        let text = "use aya_ebpf::{helpers::bpf_ktime_get_ns, programs::TcContext};\n";
        finds("netebpf-ebpf/src/main.rs", text, &[(1, "aya_ebpf::helpers")]);
        finds("netebpf-ebpf/src/kernel/clock.rs", text, &[]);
    }

    #[test]
    fn comments_and_tests_do_not_count() {
        finds("netebpf/src/model/name.rs", "//! See crate::plan::plan.\n", &[]);
        finds("netebpf/src/model/tests.rs", "use crate::plan::plan;\n", &[]);
        finds("netebpf/src/model/name.rs", "#[cfg(test)]\nmod tests {\n    use crate::plan::plan;\n}\n", &[]);
    }

    #[test]
    fn a_folder_without_a_rule_is_found() {
        finds("netebpf/src/extra/mod.rs", "", &[(1, "folder extra has no import rule")]);
    }
}
