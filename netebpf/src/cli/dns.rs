//! `netebpf dns`: what sandboxes resolve, and why.

use super::{
    Client, Error, Output,
    args::{DnsCommand, QueryArgs},
    follow::query,
};
use crate::frontend::api::wire::{Resolution, Source};

pub(super) async fn run(command: DnsCommand, client: &Client, output: &mut Output) -> Result<(), Error> {
    let DnsCommand::Query(QueryArgs { name, from, kind, json }) = command;
    let parameters = [("name", Some(name)), ("sandbox", Some(from)), ("type", Some(kind))];
    let resolution: Resolution = client.get(&query("/netebpf/names", &parameters)).await?;
    if json {
        return Ok(output.json(&resolution)?);
    }
    for record in &resolution.records {
        output.line(record)?;
    }
    Ok(output.line(format_args!("({})", reason(&resolution)))?)
}

fn reason(resolution: &Resolution) -> String {
    let Resolution { name, kind, sandbox, network, linked, records, servers, .. } = resolution;
    let network = network.as_deref().unwrap_or_default();
    match resolution.source {
        Source::Network => {
            let known = match linked {
                Some(linked) => {
                    format!("{sandbox} has a link {name} to {linked}, which network {network} knows")
                }
                None => format!("network {network} knows {name}"),
            };
            if records.is_empty() { format!("{known}, but no {kind} record of it") } else { known }
        }
        Source::SingleLabel => format!(
            "no network of {sandbox} knows {name}; it is not forwarded, because {sandbox} has an ndots option and \
             the name one part"
        ),
        Source::Forwarded => {
            format!("no network of {sandbox} knows {name} by type {kind}; asked next: {}", servers.join(", "))
        }
        Source::Nobody => {
            format!(
                "no network of {sandbox} knows {name} by type {kind}, and there is no other server to ask"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn assert_reason(changes: &serde_json::Value, expected: &str) {
        let mut value = json!({
            "name": "db", "type": "A", "sandbox": "web", "source": "network", "records": [], "servers": [],
        });
        let (all, changes) = (value.as_object_mut(), changes.as_object().cloned());
        all.expect("it is an object").extend(changes.expect("it is an object"));
        assert_eq!(reason(&serde_json::from_value(value).expect("the shape is right")), expected);
    }

    #[test]
    fn who_knows_a_name_is_said_in_words() {
        let on_net = json!({"network": "net", "records": ["10.1.0.2"]});
        assert_reason(&on_net, "network net knows db");
        assert_reason(&json!({"network": "net"}), "network net knows db, but no A record of it");
        let link = json!({"network": "net", "linked": "postgres", "records": ["10.1.0.2"]});
        assert_reason(&link, "web has a link db to postgres, which network net knows");
    }

    #[test]
    fn what_becomes_of_other_names_is_said_too() {
        assert_reason(
            &json!({"source": "forwarded", "servers": ["host(192.0.2.1)", "10.0.0.1"]}),
            "no network of web knows db by type A; asked next: host(192.0.2.1), 10.0.0.1",
        );
        assert_reason(
            &json!({"source": "nobody"}),
            "no network of web knows db by type A, and there is no other server to ask",
        );
        assert_reason(
            &json!({"source": "single_label"}),
            "no network of web knows db; it is not forwarded, because web has an ndots option and the name one part",
        );
    }
}
