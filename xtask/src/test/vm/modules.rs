//! Which files make up a kernel module with all that it needs, and in which order are they inserted?

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// A module, ready to be inserted.
#[derive(Debug)]
pub(super) struct Module {
    /// Its name, without dashes.
    pub(super) name: String,
    /// The ELF file.
    pub(super) content: Vec<u8>,
}

/// The wanted modules and what they need, each after what it needs. What this kernel has no module for is built in, or
/// it cannot have it.
pub(super) fn in_order(folder: &Path, wanted: &[&str], busybox: &Path) -> Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    find(folder, &mut files)?;
    let mut order = Vec::new();
    for name in wanted {
        insert(name, &files, busybox, &mut order)?;
    }
    Ok(order)
}

fn insert(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    busybox: &Path,
    order: &mut Vec<Module>,
) -> Result<()> {
    let Some(path) = files.get(name) else { return Ok(()) };
    if order.iter().any(|module| module.name == name) {
        return Ok(());
    }
    let content = read(path, busybox)?;
    for needed in needs(&content) {
        insert(&needed, files, busybox, order)?;
    }
    order.push(Module { name: name.to_owned(), content });
    Ok(())
}

/// Finds module files below a folder, by their names.
fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else if let Some((name, _)) = entry.file_name().to_string_lossy().split_once(".ko") {
            files.insert(name.replace('-', "_"), entry.path());
        }
    }
    Ok(())
}

/// Reads a module that may be compressed.
fn read(path: &Path, busybox: &Path) -> Result<Vec<u8>> {
    if path.extension() == Some(OsStr::new("ko")) {
        return fs::read(path).with_context(|| format!("read {}", path.display()));
    }
    let output = Command::new(busybox).args(["unxz", "-c"]).arg(path).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("unxz {}: {} {}", path.display(), output.status, said.trim());
    }
    Ok(output.stdout)
}

/// The names in a module's field `depends`, one of the zero-terminated strings in its section `.modinfo`.
fn needs(content: &[u8]) -> Vec<String> {
    const FIELD: &[u8] = b"\0depends=";
    let Some(at) = content.windows(FIELD.len()).position(|bytes| bytes == FIELD) else { return Vec::new() };
    let value = content[at + FIELD.len()..].split(|&byte| byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(value);
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_comes_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, needs: &str| {
            fs::write(folder.path().join(name), format!("ELF\0license=GPL\0depends={needs}\0name=x\0"))
                .unwrap();
        };
        fs::create_dir(folder.path().join("net")).unwrap();
        write("net/bridge.ko", "stp,llc");
        write("stp.ko", "llc");
        write("llc.ko", "");
        write("br-netfilter.ko", "bridge");
        let order =
            in_order(folder.path(), &["br_netfilter", "built_in", "bridge"], Path::new("busybox")).unwrap();
        let names: Vec<_> = order.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["llc", "stp", "bridge", "br_netfilter"]);
    }
}
