//! Programs that a system brings along, run in a namespace: what do they say about a network?

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::netns::Namespace;

/// A program of a Debian package. `cargo xtask setup` installs these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Of iputils.
    Ping,
    /// The one that calls itself modern: UDP, ICMP and TCP.
    Traceroute,
    /// Of curl.
    Curl,
    /// Of BIND.
    Dig,
    /// Asks name servers as fast as they answer.
    Dnsperf,
    /// Sets what a network card does for the kernel.
    Ethtool,
    /// Has a web server in its library.
    Python,
    /// Asks the resolver of glibc.
    Getent,
    /// Has a resolver of its own.
    Busybox,
    /// Compiles C programs that have the resolver of musl.
    MuslGcc,
}

/// What a program said, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended with zero.
    pub succeeded: bool,
    /// Standard output.
    pub stdout: String,
    /// What was typed, the exit status and both outputs, for messages.
    pub told: String,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Traceroute => "traceroute",
            Self::Curl => "curl",
            Self::Dig => "dig",
            Self::Dnsperf => "dnsperf",
            Self::Ethtool => "ethtool",
            Self::Python => "python3",
            Self::Getent => "getent",
            Self::Busybox => "busybox",
            Self::MuslGcc => "musl-gcc",
        }
    }

    /// The Debian package that has it.
    const fn package(self) -> &'static str {
        match self {
            Self::Ping => "iputils-ping",
            Self::Traceroute => "traceroute",
            Self::Curl => "curl",
            Self::Dig => "bind9-dnsutils",
            Self::Dnsperf => "dnsperf",
            Self::Ethtool => "ethtool",
            Self::Python => "python3",
            Self::Getent => "libc-bin",
            Self::Busybox => "busybox-static",
            Self::MuslGcc => "musl-tools",
        }
    }

    /// The program with nothing of the caller's environment, such as a proxy for web pages. What the package has
    /// comes before what the user has under the same name.
    pub fn command(self) -> Result<Command> {
        let name = self.name();
        let users = env::var_os("PATH").unwrap_or_default();
        let places = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(PathBuf::from).into_iter();
        let mut places = places.chain(env::split_paths(&users)).map(|place| place.join(name));
        let found = places.find(|path| path.is_file()).with_context(|| {
            let package = self.package();
            format!("{name} is not installed; it is in Debian's package {package} (`cargo xtask setup`)")
        })?;
        let mut command = Command::new(found);
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir(Path::new("/"));
        Ok(command)
    }

    /// Runs it to its end, which its arguments must see to.
    pub fn run(self, place: &Namespace, arguments: &str) -> Result<Output> {
        let mut command = self.command()?;
        command.args(arguments.split_whitespace());
        let typed = format!("{}: {} {arguments}", place.name(), self.name());
        let output = place.run(|| command.output().with_context(|| format!("start {}", self.name())))?;
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let told = format!("`{typed}` ended with {}\n{stdout}{stderr}", output.status);
        Ok(Output { succeeded: output.status.success(), stdout, told })
    }
}
