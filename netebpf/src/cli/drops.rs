//! `netebpf drops`: what was dropped and why, so far or from now on.

use super::{
    Client, Error, Output,
    args::DropsArgs,
    follow::{follow, query},
    render::ends,
};
use crate::frontend::api::wire::{Drops, Event};

pub(super) async fn run(args: &DropsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let DropsArgs { sandbox, reason, address, port, protocol, sample, .. } = args;
    if args.follow {
        let path = query(
            "/netebpf/events",
            &[
                ("drops", Some(sample.to_string())),
                ("sandbox", sandbox.clone()),
                ("reason", reason.clone()),
                ("address", address.map(|address| address.to_string())),
                ("port", port.map(|port| port.to_string())),
                ("protocol", protocol.clone()),
            ],
        );
        return follow(client, &path, args.json, output, line).await;
    }
    let path = query("/netebpf/drops", &[("sandbox", sandbox.clone()), ("reason", reason.clone())]);
    let drops: Vec<Drops> = client.get(&path).await?;
    if args.json {
        return Ok(output.json(&drops)?);
    }
    let headings = ["DEVICE", "SANDBOX", "NETWORK", "DIRECTION", "REASON", "PACKETS", "MEANING"];
    Ok(output.table(headings, drops.into_iter().map(row).collect())?)
}

fn row(drops: Drops) -> [String; 7] {
    let Drops { device, sandbox, network, direction, reason, packets, meaning } = drops;
    let (sandbox, network) = (sandbox.unwrap_or_default(), network.unwrap_or_default());
    [device, sandbox, network, direction, reason, packets.to_string(), meaning]
}

fn line(event: &Event) -> String {
    let place = match (&event.sandbox, &event.device) {
        (Some(sandbox), _) => format!(" of {sandbox}"),
        (None, Some(device)) => format!(" of {device}"),
        (None, None) => String::new(),
    };
    let packet = match (&event.ends, &event.protocol) {
        (Some(both), Some(protocol)) => format!("{protocol} {}", ends(both)),
        _ => format!(
            "{} → {}, ethertype {}",
            event.source_mac.as_deref().unwrap_or_default(),
            event.destination_mac.as_deref().unwrap_or_default(),
            event.ethertype.as_deref().unwrap_or_default()
        ),
    };
    let flags = if event.tcp_flags.is_empty() { String::new() } else { format!(", {}", event.tcp_flags) };
    format!(
        "{} {} at {}{place}: {packet}{flags}, {} bytes",
        event.time,
        event.outcome.as_deref().unwrap_or_default(),
        event.direction.as_deref().unwrap_or_default(),
        event.length
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn a_dropped_packet_is_one_line() {
        let end = |address: &str, port: u16| json!({"address": address, "port": port});
        let event = json!({
            "time": "2026-11-21T10:00:00.123Z", "kind": "drop", "direction": "from_container",
            "device": "neb0123", "sandbox": "web", "outcome": "spoofed", "protocol": "tcp",
            "ends": {"source": end("10.1.0.9", 4000), "destination": end("fd00::1", 80)},
            "tcp_flags": "syn", "length": 74,
        });
        let event = serde_json::from_value(event).expect("the shape is right");
        assert_eq!(
            line(&event),
            "2026-11-21T10:00:00.123Z spoofed at from_container of web: \
             tcp 10.1.0.9:4000 → [fd00::1]:80, syn, 74 bytes"
        );
    }

    #[test]
    fn a_frame_without_addresses_is_told_by_its_macs() {
        let event = json!({
            "time": "now", "kind": "drop", "direction": "from_bridge", "device": "br-0123",
            "outcome": "malformed", "source_mac": "02:00:00:00:00:01",
            "destination_mac": "ff:ff:ff:ff:ff:ff", "ethertype": "0x0806", "length": 60,
        });
        let event = serde_json::from_value(event).expect("the shape is right");
        assert_eq!(
            line(&event),
            "now malformed at from_bridge of br-0123: \
             02:00:00:00:00:01 → ff:ff:ff:ff:ff:ff, ethertype 0x0806, 60 bytes"
        );
    }
}
