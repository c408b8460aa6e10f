//! What comes over the wire becomes the request that was meant, or an error that says what is wrong.

use serde_json::json;

use super::{
    convert::{endpoint_address, network_request, sandbox_request},
    wire::{Connect, CreateNetwork, CreateSandbox},
};

/// The body that Docker's own client sends for `docker network create`.
fn body_of_dockers_client() -> serde_json::Value {
    json!({
        "Name": "front", "CheckDuplicate": true, "Driver": "bridge", "Scope": "", "EnableIPv4": null,
        "EnableIPv6": false, "Internal": false, "Attachable": false, "Ingress": false, "ConfigOnly": false,
        "ConfigFrom": null, "Options": {}, "Labels": null,
        "IPAM": {"Driver": "default", "Options": {}, "Config": []},
    })
}

fn network(changes: serde_json::Value) -> Result<crate::change::NetworkRequest, String> {
    let mut body = body_of_dockers_client();
    if let (Some(body), serde_json::Value::Object(changes)) = (body.as_object_mut(), changes) {
        body.extend(changes);
    }
    let body: CreateNetwork = serde_json::from_value(body).expect("the shape is right");
    network_request(body).map_err(|error| error.to_string())
}

#[test]
fn what_dockers_client_sends_is_understood() {
    let request = network(json!({})).expect("a request");
    assert_eq!((request.name.as_str(), request.subnet, request.gateway), ("front", None, None));
    let pool = json!({"Subnet": "10.10.0.0/24", "Gateway": "10.10.0.254"});
    let request = network(json!({"IPAM": {"Config": [pool]}, "Internal": true})).expect("a request");
    assert_eq!(request.subnet.map(|subnet| subnet.to_string()).as_deref(), Some("10.10.0.0/24"));
    assert_eq!(request.gateway.map(|gateway| gateway.to_string()).as_deref(), Some("10.10.0.254"));
    assert!(request.internal);
}

#[test]
fn what_is_not_there_yet_is_refused_instead_of_ignored() {
    let two = json!([{"Subnet": "10.1.0.0/24"}, {"Subnet": "10.2.0.0/24"}]);
    for (changes, text) in [
        (json!({"EnableIPv6": true}), "IPv6"),
        (json!({"EnableIPv4": false}), "without IPv4"),
        (json!({"Driver": "overlay"}), "plugin overlay"),
        (json!({"IPAM": {"Driver": "other"}}), "IPAM driver"),
        (json!({"IPAM": {"Config": two}}), "more than one subnet"),
        (json!({"IPAM": {"Config": [{"Subnet": "10.1.0.0/24", "IPRange": "10.1.0.0/25"}]}}), "IP range"),
        (json!({"IPAM": {"Config": [{"Subnet": "10.1.0.0"}]}}), "invalid subnet 10.1.0.0"),
        (json!({"IPAM": {"Config": [{"Subnet": "10.1.0.0/24", "Gateway": "x"}]}}), "invalid IP address"),
        (json!({"Name": "a b"}), "invalid network name (a b)"),
    ] {
        let error = network(changes.clone()).expect_err("it is not supported");
        assert!(error.contains(text), "{changes} gave {error:?}");
    }
}

#[test]
fn an_endpoint_may_wish_for_an_address() {
    let body = json!({"Container": "web", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "Links": null}});
    let body: Connect = serde_json::from_value(body).expect("the shape is right");
    let address = endpoint_address(body.endpoint_config).expect("an address");
    assert_eq!(address, Some([10, 0, 0, 9].into()));
    assert_eq!(endpoint_address(None).expect("no wish"), None);
}

#[test]
fn a_public_port_of_zero_asks_for_any_free_one() {
    let port = |public| json!({"IP": "", "PrivatePort": 80, "PublicPort": public, "Type": "tcp"});
    let body =
        json!({"Name": "web", "Network": "front", "Command": ["serve"], "Ports": [port(0), port(8080)]});
    let body: CreateSandbox = serde_json::from_value(body).expect("the shape is right");
    let request = sandbox_request(body).expect("a request");
    assert_eq!(request.ports.iter().map(|port| port.host_port).collect::<Vec<_>>(), [None, Some(8080)]);
    assert!(request.ports.iter().all(|port| port.host_address.is_unspecified()));
}
