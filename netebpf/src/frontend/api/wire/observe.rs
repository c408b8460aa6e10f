//! What has been seen on the data path: drops, flows, events.

use serde::{Deserialize, Serialize};

/// Dropped packets of one sort, as `GET /netebpf/drops` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// The host's device that the packets met the program at: its name, or its index if it is gone.
    pub device: String,
    /// The sandbox behind the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The network that the device belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The hook, named by the packets' movement.
    pub direction: String,
    /// Why.
    pub reason: String,
    /// Packets since the maps were made.
    pub packets: u64,
    /// What the reason means.
    pub meaning: String,
}

/// A flow, as `GET /netebpf/flows` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `sctp` or a number.
    pub protocol: String,
    /// `unreplied`, `established`, `original_closed`, `reply_closed`, `closed` or `reset`.
    pub state: String,
    /// Whether both ends are proved, so that no flood can displace the flow.
    pub assured: bool,
    /// Seconds since the last packet of either direction.
    pub idle: u64,
    /// From whom to whom, as the side that began sends.
    pub original: Ends,
    /// The same, as the packets go on.
    pub translated: Ends,
    /// Packets and bytes of the side that began.
    pub sent: Traffic,
    /// Packets and bytes of the side that answers.
    pub received: Traffic,
}

/// The two ends of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// Source.
    pub source: End,
    /// Destination.
    pub destination: End,
}

/// One end of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Address.
    pub address: String,
    /// Port, or the identifier of an echo; 0 where there is none.
    pub port: u16,
    /// The sandbox that has the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

/// What has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes, link headers included.
    pub bytes: u64,
}

/// One line of `GET /netebpf/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When (RFC 3339).
    pub time: String,
    /// What about.
    pub kind: Kind,
    /// The hook, named by the packet's movement; absent when a flow ended without a packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The host's device that the packet met the program at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The sandbox behind the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The network that the device belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// What became of the packet: why it was dropped, or where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `sctp` or a number; absent where the packet has no addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// From whom to whom, as the packet arrived; absent where it has no addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// TCP flags that are set, such as `syn,ack`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tcp_flags: String,
    /// From whom the frame came; absent when a flow ended without a packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_mac: Option<String>,
    /// To whom the frame goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_mac: Option<String>,
    /// What the frame carries, such as `0x0800`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethertype: Option<String>,
    /// Bytes, Ethernet header included.
    pub length: u32,
    /// How many events before this one the reader was too slow for.
    #[serde(default)]
    pub missed: u64,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A packet was dropped.
    Drop,
    /// A flow began.
    FlowNew,
    /// A flow ended.
    FlowEnd,
}
