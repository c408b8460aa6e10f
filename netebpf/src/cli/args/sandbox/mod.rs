//! The command lines of the commands for sandboxes.

mod join;
mod list;
mod make;
mod ports;
mod upkeep;
mod watch;

pub use join::JoinArgs;
pub use list::{InspectAnyArgs, PortArgs, PsArgs};
pub use make::{AttachArgs, CreateSandboxArgs, NameArgs, RunArgs, SandboxArgs};
pub use ports::PublishArgs;
pub use upkeep::{KillArgs, RenameArgs, RmSandboxArgs, StartArgs, StopArgs, WaitArgs};
pub use watch::{ExecArgs, LogsArgs, TopArgs};
