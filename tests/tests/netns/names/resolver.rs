//! Resolvers as programs bring them along, and how each is asked.

use std::{collections::BTreeSet, fs, net::IpAddr};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{engine::Engine, installed::Program, topology::World};

use super::run_in;

/// Prints the addresses of a name that the C library finds.
const MUSL_SOURCE: &str = include_str!("resolve.c");
const PYTHON_SOURCE: &str = "\
import socket, sys
family = {'4': socket.AF_INET, '6': socket.AF_INET6}[sys.argv[2]]
for found in socket.getaddrinfo(sys.argv[1], None, family, socket.SOCK_STREAM): print(found[4][0])";

/// A resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolver {
    /// Of glibc, which connects its sockets and asks for both IP versions at once.
    Glibc,
    /// As Python's library wraps glibc.
    Python,
    /// Of musl, which does not connect its sockets and asks all servers at once.
    Musl,
    /// Its own.
    Busybox,
    /// Of BIND.
    Dig,
    /// The same over TCP.
    DigTcp,
}

impl Resolver {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Glibc, Self::Python, Self::Musl, Self::Busybox, Self::Dig, Self::DigTcp];

    /// The addresses of a name, of one IP version, as a program in a sandbox learns them.
    pub(super) fn addresses(
        self,
        (world, engine): (&World, &Engine),
        sandbox: &str,
        (name, is_v4): (&str, bool),
    ) -> Result<BTreeSet<IpAddr>> {
        let version = if is_v4 { "4" } else { "6" };
        let record = if is_v4 { "A" } else { "AAAA" };
        let run = |program, arguments: &[&str]| run_in(engine, sandbox, program, arguments)?.ok();
        let said = match self {
            Self::Glibc => run(Program::Getent, &[&format!("ahostsv{version}"), name]),
            Self::Python => run(Program::Python, &["-I", "-c", PYTHON_SOURCE, name, version]),
            Self::Musl => engine.ok(&["exec", sandbox, &musl_program(world)?, name, version]),
            Self::Busybox => {
                run(Program::Busybox, &["nslookup", &format!("-type={}", record.to_lowercase()), name])
            }
            Self::Dig => run(Program::Dig, &["+short", name, record]),
            Self::DigTcp => run(Program::Dig, &["+short", "+tcp", name, record]),
        };
        let said = said.with_context(|| format!("{self:?} asks for {record} {name} in {sandbox}"))?;
        let told = |line: &str| match self {
            Self::Busybox => line.strip_prefix("Address: ").map(str::to_owned),
            Self::Glibc | Self::Python | Self::Musl | Self::Dig | Self::DigTcp => {
                line.split_whitespace().next().map(str::to_owned)
            }
        };
        Ok(said.lines().filter_map(told).filter_map(|word| word.parse().ok()).collect())
    }
}

/// The path of a program that is linked with musl; compiled when it is first asked for in a world.
fn musl_program(world: &World) -> Result<String> {
    let (source, program) = (world.directory().join("resolve.c"), world.directory().join("resolve"));
    if !program.exists() {
        fs::write(&source, MUSL_SOURCE)?;
        let mut compiler = Program::MuslGcc.command()?;
        let done = compiler.args(["-static", "-o"]).arg(&program).arg(&source).output()?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(program.display().to_string())
}
