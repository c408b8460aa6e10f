//! A network as a line of `network ls`.

use std::collections::BTreeMap;

use super::{
    data::{Data, Label, Record},
    joined_labels,
    list::Row,
    shown_id, timestamp,
};

/// A network as a line of `network ls`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::cli) struct NetworkRow {
    /// Identifier in full.
    pub(in crate::cli) id: String,
    /// Name.
    pub(in crate::cli) name: String,
    /// Driver.
    pub(in crate::cli) driver: String,
    /// Scope: `local`.
    pub(in crate::cli) scope: String,
    /// Whether it has IPv4 addresses.
    pub(in crate::cli) ipv4: bool,
    /// Whether it has IPv6 addresses.
    pub(in crate::cli) ipv6: bool,
    /// Whether nothing leaves it.
    pub(in crate::cli) internal: bool,
    /// Labels.
    pub(in crate::cli) labels: BTreeMap<String, String>,
    /// When it was created (RFC 3339, UTC).
    pub(in crate::cli) created: String,
}

impl Row for NetworkRow {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ];
    const TABLE: &'static str = "table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}";
    const RAW: &'static str =
        "network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n";
    const RAW_QUIET: &'static str = "network_id: {{.ID}}";
    const QUIET_WINS: bool = false;
    const IS_REHEARSED: bool = false;

    fn record(&self, is_short: bool) -> Record {
        let text = |text: &str| Data::Text(text.to_owned());
        let fields = vec![
            ("CreatedAt", Data::Text(timestamp::printed(&self.created))),
            ("Driver", text(&self.driver)),
            ("ID", Data::Text(shown_id(&self.id, is_short))),
            ("IPv4", Data::Text(self.ipv4.to_string())),
            ("IPv6", Data::Text(self.ipv6.to_string())),
            ("Internal", Data::Text(self.internal.to_string())),
            ("Labels", Data::Text(joined_labels(&self.labels))),
            ("Name", text(&self.name)),
            ("Scope", text(&self.scope)),
        ];
        Record { type_name: "*network.networkContext", fields, label: Some(Label::Of(self.labels.clone())) }
    }
}
