//! `netebpf flows`: the connections that the data path knows, as they are or as they come and go.

use super::{
    Client, Error, Output,
    args::FlowsArgs,
    follow::{follow, query},
    render::{bytes, ends, seconds},
};
use crate::frontend::api::wire::{Event, Flow, Kind, Traffic};

pub(super) async fn run(args: &FlowsArgs, client: &Client, output: &mut Output) -> Result<(), Error> {
    let FlowsArgs { sandbox, address, port, protocol, .. } = args;
    let filter = [
        ("sandbox", sandbox.clone()),
        ("address", address.map(|address| address.to_string())),
        ("port", port.map(|port| port.to_string())),
        ("protocol", protocol.clone()),
    ];
    if args.follow {
        let path = query("/netebpf/events", &[&[("flows", Some("1".to_owned()))], &filter[..]].concat());
        return follow(client, &path, args.json, output, line).await;
    }
    let flows: Vec<Flow> = client.get(&query("/netebpf/flows", &filter)).await?;
    if args.json {
        return Ok(output.json(&flows)?);
    }
    let headings = ["PROTOCOL", "STATE", "IDLE", "ORIGINAL", "TRANSLATED", "SENT", "RECEIVED"];
    Ok(output.table(headings, flows.into_iter().map(row).collect())?)
}

fn row(flow: Flow) -> [String; 7] {
    let traffic = |Traffic { packets, bytes: count }| format!("{packets} ({})", bytes(count));
    [
        flow.protocol,
        flow.state,
        seconds(flow.idle),
        ends(&flow.original),
        ends(&flow.translated),
        traffic(flow.sent),
        traffic(flow.received),
    ]
}

fn line(event: &Event) -> String {
    let what = match event.kind {
        Kind::FlowNew => "began",
        Kind::FlowEnd => "ended",
        Kind::Drop => "dropped",
    };
    let protocol = event.protocol.as_deref().unwrap_or_default();
    let both = event.ends.as_ref().map(ends).unwrap_or_default();
    // A flow that no packet has ended was idle for too long.
    let why = if event.kind == Kind::FlowEnd && event.direction.is_none() { ", timed out" } else { "" };
    format!("{} {what}: {protocol} {both}{why}", event.time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{line, row};

    #[test]
    fn a_flow_is_one_row() {
        let end = |address: &str, port: u16, sandbox: Option<&str>| json!({"address": address, "port": port, "sandbox": sandbox});
        let flow = json!({
            "protocol": "udp", "state": "established", "assured": true, "idle": 7,
            "original": {"source": end("10.1.0.2", 4000, Some("web")), "destination": end("192.0.2.9", 53, None)},
            "translated": {"source": end("192.0.2.1", 4000, None), "destination": end("192.0.2.9", 53, None)},
            "sent": {"packets": 12, "bytes": 1234}, "received": {"packets": 11, "bytes": 2_345_678},
        });
        let flow = serde_json::from_value(flow).expect("the shape is right");
        assert_eq!(
            row(flow),
            [
                "udp",
                "established",
                "7s",
                "10.1.0.2:4000 (web) → 192.0.2.9:53",
                "192.0.2.1:4000 → 192.0.2.9:53",
                "12 (1.23kB)",
                "11 (2.34MB)"
            ]
        );
    }

    #[test]
    fn a_flow_that_no_packet_ended_timed_out() {
        let end = json!({"address": "10.1.0.2", "port": 0});
        let event = json!({
            "time": "now", "kind": "flow_end", "protocol": "icmp", "ends": {"source": end, "destination": end},
            "length": 0,
        });
        let event = serde_json::from_value(event).expect("the shape is right");
        assert_eq!(line(&event), "now ended: icmp 10.1.0.2 → 10.1.0.2, timed out");
    }
}
