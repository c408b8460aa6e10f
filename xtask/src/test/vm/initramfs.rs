//! Writes the file system that a kernel starts with: a cpio archive in the format "newc" (the kernel's
//! Documentation/driver-api/early-userspace/buffer-format.rst).

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

/// Names and contents begin at multiples of this many bytes.
const ALIGNMENT: usize = 4;

/// Files of an initramfs; parents of files need not be named.
#[derive(Debug, Default)]
pub(super) struct Initramfs {
    bytes: Vec<u8>,
    folders: Vec<String>,
    entries: u32,
}

impl Initramfs {
    /// Adds a folder, and those above it.
    pub(super) fn folder(&mut self, path: &str) {
        if path.is_empty() || self.folders.iter().any(|known| known == path) {
            return;
        }
        self.parent(path);
        self.folders.push(path.to_owned());
        self.entry(FOLDER, path, &[]);
    }

    /// Adds a file that is read.
    pub(super) fn file(&mut self, path: &str, content: &[u8]) {
        self.parent(path);
        self.entry(FILE, path, content);
    }

    /// Adds a file that can be executed.
    pub(super) fn program(&mut self, path: &str, content: &[u8]) {
        self.parent(path);
        self.entry(PROGRAM, path, content);
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.parent(path);
        self.entry(LINK, path, target.as_bytes());
    }

    /// The archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry(0, "TRAILER!!!", &[]);
        self.bytes
    }

    fn parent(&mut self, path: &str) {
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.folder(parent);
        }
    }

    fn entry(&mut self, mode: u32, path: &str, content: &[u8]) {
        self.entries += 1;
        let length = |bytes: usize| u32::try_from(bytes).expect("a file of a guest has less than 4 GiB");
        let (inode, owner, links, time, device, checksum) = (self.entries, 0, 1, 0, 0, 0);
        let fields = [
            inode,
            mode,
            owner,
            owner,
            links,
            time,
            length(content.len()),
            device,
            device,
            device,
            device,
            length(path.len() + 1),
            checksum,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Initramfs;

    #[test]
    fn an_archive_has_the_layout_of_newc() {
        let mut files = Initramfs::default();
        files.file("lib/a", b"hello");
        let archive = files.finish();
        let text = String::from_utf8_lossy(&archive);
        let header = "070701\
            00000002000081a40000000000000000000000010000000000000005\
            0000000000000000000000000000000000000006000\
            00000";
        assert!(text.starts_with("07070100000001000041ed"), "{text}");
        assert!(text.contains(&format!("{header}lib/a\0hello\0\0\0")), "{text}");
        assert!(text.contains("TRAILER!!!\0"), "{text}");
        assert_eq!(archive.len() % 4, 0);
    }

    #[test]
    fn a_folder_stands_once_and_before_what_is_in_it() {
        let mut files = Initramfs::default();
        files.folder("a/b");
        files.folder("a");
        files.link("a/b/c", "d");
        let archive = files.finish();
        let text = String::from_utf8_lossy(&archive);
        assert_eq!(text.matches("070701").count(), 4, "{text}");
        assert!(text.find("a\0") < text.find("a/b\0") && text.find("a/b\0") < text.find("a/b/c\0"));
    }
}
