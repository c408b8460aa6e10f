//! A container as a line of `ps`.

use std::{collections::BTreeMap, time::Duration};

use super::{
    data::{Data, Label, Record},
    human_duration, joined_labels,
    list::Row,
    ports::{PortMapping, displayable_ports},
    quote::quote,
    shown_id, timestamp,
    width::ellipsis,
};

/// Docker shows as much of a command.
const COMMAND_WIDTH: usize = 20;

/// A container as a line of `ps`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cli) struct ContainerRow {
    /// Identifier in full.
    pub(in crate::cli) id: String,
    /// Names, also those that links give it (`web/db`), without a slash in front.
    pub(in crate::cli) names: Vec<String>,
    /// Image; there is none when empty.
    pub(in crate::cli) image: String,
    /// Command line.
    pub(in crate::cli) command: String,
    /// When it was created (RFC 3339, UTC).
    pub(in crate::cli) created: String,
    /// How long ago that was.
    pub(in crate::cli) age: Duration,
    /// `created`, `running` or `exited`.
    pub(in crate::cli) state: String,
    /// The same in words, as the daemon writes them.
    pub(in crate::cli) status: String,
    /// Ports, in any order.
    pub(in crate::cli) ports: Vec<PortMapping>,
    /// Labels.
    pub(in crate::cli) labels: BTreeMap<String, String>,
    /// Names of its networks, in the order in which they are shown.
    pub(in crate::cli) networks: Vec<String>,
}

impl ContainerRow {
    /// All names, or the first that no link gave.
    fn shown_names(&self, is_short: bool) -> String {
        if is_short {
            return self.names.iter().find(|name| !name.contains('/')).cloned().unwrap_or_default();
        }
        self.names.join(",")
    }

    fn shown_command(&self, is_short: bool) -> String {
        quote(&if is_short { ellipsis(&self.command, COMMAND_WIDTH) } else { self.command.clone() })
    }
}

impl Row for ContainerRow {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[
        ("ID", "CONTAINER ID"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ];
    const TABLE: &'static str = "table {{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.RunningFor}}\\t{{.Status}}\\t\
        {{.Ports}}\\t{{.Names}}";
    const RAW: &'static str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n\
        created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n\
        labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n";
    const RAW_QUIET: &'static str = "container_id: {{.ID}}";
    const QUIET_WINS: bool = true;
    const IS_REHEARSED: bool = true;

    fn record(&self, is_short: bool) -> Record {
        let text = |text: &str| Data::Text(text.to_owned());
        let image = if self.image.is_empty() { "<no image>" } else { &self.image };
        let fields = vec![
            ("Command", Data::Text(self.shown_command(is_short))),
            ("CreatedAt", Data::Text(timestamp::printed(&self.created))),
            ("ID", Data::Text(shown_id(&self.id, is_short))),
            ("Image", text(image)),
            ("Labels", Data::Text(joined_labels(&self.labels))),
            ("LocalVolumes", text("0")),
            ("Mounts", text("")),
            ("Names", Data::Text(self.shown_names(is_short))),
            ("Networks", Data::Text(self.networks.join(","))),
            ("Platform", Data::Nil),
            ("Ports", Data::Text(displayable_ports(&self.ports))),
            ("RunningFor", Data::Text(human_duration(self.age) + " ago")),
            ("Size", text("0B")),
            ("State", text(&self.state)),
            ("Status", text(&self.status)),
        ];
        Record {
            type_name: "*formatter.ContainerContext",
            fields,
            label: Some(Label::Of(self.labels.clone())),
        }
    }
}
