//! What can be typed: the whole command line, as clap sees it.

mod attachment;
mod daemon;
mod dns;
mod network;
mod observe;
mod sandbox;
mod value;

use std::{any::TypeId, path::PathBuf};

use clap::{
    CommandFactory as _, Parser, Subcommand,
    builder::{OsStringValueParser, TypedValueParser as _},
};
use clap_complete::Shell;

pub use attachment::{AttachmentError, NetworkAttachment};
pub use daemon::DaemonArgs;
pub use dns::{DnsCommand, QueryArgs};
pub use network::{
    ConnectArgs, CreateArgs, DisconnectArgs, InspectArgs, LsArgs, NetworkCommand, PoolArgs, PruneArgs, RmArgs,
};
pub use observe::{DropsArgs, FlowsArgs};
pub use sandbox::{
    AttachArgs, CreateSandboxArgs, ExecArgs, InspectAnyArgs, JoinArgs, KillArgs, LogsArgs, NameArgs,
    PortArgs, PsArgs, PublishArgs, RenameArgs, RmSandboxArgs, RunArgs, SandboxArgs, StartArgs, StopArgs,
    TopArgs, WaitArgs,
};

use crate::kernel::Settings;

/// Container networking for Linux in eBPF, with iptables taken out.
///
/// One daemon owns the networks, sandboxes and published ports of a host, or of the network namespace it is started
/// in. All other commands talk to it through a socket in its run directory.
#[derive(Debug, Parser)]
#[command(name = "netebpf", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// Where the daemon's socket and the sandboxes' namespace files are
    #[arg(long, global = true, help_heading = GLOBAL, hide_env_values = true, value_name = "DIR", env = "NETEBPF_RUN_DIR", default_value = "/run/netebpf")]
    pub run_dir: PathBuf,

    /// Where the daemon keeps what users asked for, and the sandboxes' logs
    #[arg(long, global = true, help_heading = GLOBAL, hide_env_values = true, value_name = "DIR", env = "NETEBPF_STATE_DIR", default_value = "/var/lib/netebpf")]
    pub state_dir: PathBuf,

    /// Where BPF maps, programs and links are pinned; a directory below a BPF file system
    #[arg(long, global = true, help_heading = GLOBAL, hide_env_values = true, value_name = "DIR", env = "NETEBPF_BPFFS", default_value = "/sys/fs/bpf/netebpf")]
    pub bpffs: PathBuf,

    /// Which log lines go to standard error: error, warn, info, debug, trace, or directives such as netebpf=debug
    #[arg(long, global = true, help_heading = GLOBAL, hide_env_values = true, value_name = "FILTER", env = "NETEBPF_LOG", default_value = "info")]
    pub log: String,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What these options are listed under.
const GLOBAL: &str = "Engine options";

const EXAMPLES: &str = "\
Examples:
  netebpf daemon &
  netebpf network create front
  netebpf run -d --name web --network front -p 8080:80 -- python3 -m http.server 80
  netebpf ps
  netebpf rm -f web";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon in the foreground, in this network namespace
    ///
    /// It is ready when its socket answers. Ended or killed, it leaves networks, sandboxes and established
    /// connections working; the next daemon takes them over.
    Daemon(Box<DaemonArgs>),

    /// Manage networks
    #[command(subcommand, visible_alias = "net")]
    Network(NetworkCommand),

    /// Run a command in a new sandbox
    Run(Box<RunArgs>),

    /// Make a sandbox without starting its command, and print its id
    Create(Box<CreateSandboxArgs>),

    /// Run a further command in a running sandbox
    Exec(ExecArgs),

    /// Make a sandbox of a network namespace that others made, and print its id
    Attach(Box<AttachArgs>),

    /// Start sandboxes that were made, stopped or have ended
    Start(StartArgs),

    /// Stop sandboxes: ask their commands to end, kill them if they do not
    Stop(StopArgs),

    /// Stop sandboxes and start them again
    Restart(StopArgs),

    /// Send a signal to the commands of sandboxes
    Kill(KillArgs),

    /// Remove sandboxes
    Rm(RmSandboxArgs),

    /// Give a sandbox another name
    Rename(RenameArgs),

    /// Wait for the end of sandboxes and print their exit codes
    Wait(WaitArgs),

    /// List sandboxes
    Ps(PsArgs),

    /// Show sandboxes and networks in detail, as JSON
    Inspect(InspectAnyArgs),

    /// Show where the ports of a sandbox are published
    Port(PortArgs),

    /// Print what the command of a sandbox has written
    Logs(LogsArgs),

    /// List the processes of a sandbox
    Top(TopArgs),

    /// Show what the data plane runs and has counted
    Status(StatusArgs),

    /// Show which packets were dropped and why
    Drops(DropsArgs),

    /// Show the connections that leave a network or enter it
    Flows(FlowsArgs),

    /// Show what sandboxes resolve
    #[command(subcommand)]
    Dns(DnsCommand),

    /// Show what a reconcile would change right now
    Plan(PlanArgs),

    /// Remove every trace of netebpf; the daemon must be stopped
    ///
    /// Ends the sandboxes' processes and removes links, namespaces, pinned programs and maps, and the stored state
    /// that belong to these directories. Works on a damaged state file too.
    Cleanup(CleanupArgs),

    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  netebpf completions bash > /etc/bash_completion.d/netebpf")]
    Completions {
        /// The shell.
        shell: Shell,
    },

    /// Print the manual pages of all commands
    #[command(after_help = "Example:\n  netebpf man | man -l -")]
    Man,
}

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `plan` takes.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Print JSON: an array of sentences, empty when there is nothing to do
    #[arg(long)]
    pub json: bool,
}

/// What `cleanup` takes.
#[derive(Debug, clap::Args)]
pub struct CleanupArgs {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

impl Args {
    /// The command line as it is read: a flag takes whatever follows it, and of several the last one counts, as for Docker's
    /// client.
    #[must_use]
    pub fn definition() -> clap::Command {
        as_docker_reads(Self::command())
    }

    /// The directories of the engine that is meant.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            run_dir: self.run_dir.clone(),
            state_dir: self.state_dir.clone(),
            bpffs: self.bpffs.clone(),
        }
    }
}

fn as_docker_reads(command: clap::Command) -> clap::Command {
    let takes_anything = |argument: clap::Arg| {
        if argument.is_positional() || !argument.get_action().takes_values() {
            return argument;
        }
        let is_path = argument.get_value_parser().type_id() == TypeId::of::<PathBuf>();
        let argument = argument.allow_hyphen_values(true);
        // No path is a path as well; the engine's own are asked for in earnest.
        let may_be_empty = is_path && !argument.is_global_set();
        if may_be_empty {
            argument.value_parser(OsStringValueParser::new().map(PathBuf::from))
        } else {
            argument
        }
    };
    command.args_override_self(true).mut_args(takes_anything).mut_subcommands(as_docker_reads)
}
