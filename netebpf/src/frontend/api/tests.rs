//! What comes over the wire becomes the request that was meant, or an error that says what is wrong.

use serde_json::json;

use crate::model::{AddressWishes, Scope};

use super::{
    convert::{endpoint_settings, network_request, sandbox_request},
    wire::{Connect, CreateNetwork, CreateSandbox, EndpointConfig},
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
    assert_eq!((request.name.as_str(), request.pools.len(), request.ipv6), ("front", 0, Some(false)));
    let pool = json!({
        "Subnet": "10.10.0.0/24", "IPRange": "10.10.0.128/25", "Gateway": "10.10.0.254",
        "AuxiliaryAddresses": {"router": "10.10.0.5"},
    });
    let request = network(json!({"IPAM": {"Config": [pool]}, "Internal": true})).expect("a request");
    let [pool] = &request.pools[..] else { panic!("{:?}", request.pools) };
    assert_eq!((&*pool.subnet, &*pool.ip_range), ("10.10.0.0/24", "10.10.0.128/25"));
    assert_eq!((&*pool.gateway, &*pool.auxiliary["router"]), ("10.10.0.254", "10.10.0.5"));
    assert!(request.internal);
    let pools = json!([{"Subnet": "10.1.0.0/24"}, {"Subnet": "fd00::/64"}, {}]);
    let dual = network(json!({"EnableIPv4": true, "EnableIPv6": true, "IPAM": {"Config": pools}}))
        .expect("a request");
    assert_eq!((dual.pools.len(), dual.ipv4, dual.ipv6), (2, Some(true), Some(true)));
}

#[test]
fn what_no_request_can_be_made_of_is_refused() {
    let swarm = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect \
                 this node to swarm and try again.";
    for (changes, text) in [
        (json!({"Driver": "weave"}), "plugin \"weave\" not found"),
        (json!({"Driver": "overlay"}), swarm),
        (json!({"Driver": "overlay", "ConfigOnly": true}), swarm),
        (json!({"IPAM": {"Driver": "other"}}), "plugin \"other\" not found"),
        (
            json!({"Scope": "global"}),
            "invalid scope: \"global\", it must be local, or swarm on a manager of a swarm",
        ),
        (json!({"IPAM": {"Config": [{"Gateway": "10.1.0.1"}]}}), "no matching subnet for gateway 10.1.0.1"),
        (json!({"Name": " "}), "invalid name: name is empty"),
    ] {
        assert_eq!(network(changes.clone()).expect_err("it is refused"), text, "{changes}");
    }
}

#[test]
fn configurations_and_networks_from_them_are_asked_for() {
    let only = network(json!({"ConfigOnly": true, "Driver": "macvlan"})).expect("a request");
    assert!(only.config_only, "whatever driver will be used");
    let from = network(json!({"ConfigFrom": {"Network": "base"}, "Scope": "swarm"})).expect("a request");
    assert_eq!(from.config_from.map(|name| name.to_string()).as_deref(), Some("base"));
    assert_eq!(from.scope, Some(Scope::Swarm));
    let none = network(json!({"ConfigFrom": {"Network": ""}, "IPAM": null})).expect("a request");
    assert_eq!((none.config_from, none.ipam_options), (None, None));
}

#[test]
fn an_endpoint_may_wish_for_addresses() {
    let link_local = ["169.254.8.8", "::ffff:169.254.8.9", "fe80::8"];
    let wishes = json!({"IPv4Address": "10.0.0.9", "IPv6Address": "fd00::9", "LinkLocalIPs": link_local});
    let body = json!({"Container": "web", "EndpointConfig": {"IPAMConfig": wishes, "Links": null}});
    let body: Connect = serde_json::from_value(body).expect("the shape is right");
    let settings = endpoint_settings(body.endpoint_config.expect("there is one")).expect("settings");
    let link_local = ["169.254.8.8", "169.254.8.9", "fe80::8"];
    let wanted = AddressWishes {
        v4: "10.0.0.9".parse().ok(),
        v6: "fd00::9".parse().ok(),
        link_local: link_local.map(|text| text.parse().expect("an address")).into(),
    };
    assert_eq!(settings.addresses, Some(wanted));
}

#[test]
fn an_endpoint_may_wish_for_names_links_options_and_a_mac() {
    let config = json!({
        "Aliases": ["www", "api"], "Links": ["db", "cache:store"], "GwPriority": 7, "MacAddress": "02-42-AC-11-00-02",
        "DriverOpts": {"com.docker.network.endpoint.ifname": "uplink"}, "NetworkID": "ignored",
    });
    let config: EndpointConfig = serde_json::from_value(config).expect("the shape is right");
    let settings = endpoint_settings(config).expect("settings");
    let aliases = settings.aliases.map(|aliases| aliases.join(" "));
    assert_eq!((aliases.as_deref(), settings.gateway_priority), (Some("www api"), 7));
    let links: Vec<_> = settings.links.iter().map(ToString::to_string).collect();
    assert_eq!(links, ["db", "cache:store"]);
    assert_eq!(settings.options.interface.as_deref(), Some("uplink"));
    assert_eq!(settings.mac.map(|mac| mac.to_string()).as_deref(), Some("02:42:ac:11:00:02"));
    for text in ["02:42", "02:42:ac:11:00:02:03", "02:42:ac:11:00:0g", "2:42:ac:11:00:02"] {
        let config = EndpointConfig { mac_address: text.to_owned(), ..EndpointConfig::default() };
        let error = endpoint_settings(config).expect_err(text).to_string();
        assert!(error.starts_with(&format!("invalid MAC address: {text}")), "{error}");
    }
}

#[test]
fn ports_are_asked_for_alone_in_ranges_or_not_named() {
    let ask = |port: serde_json::Value| {
        let body = json!({
            "Name": "web", "Networks": [{"Network": "front"}], "Command": ["serve"], "Ports": [port],
            "ExposedPorts": ["7/udp"], "Links": ["db:store"],
        });
        let body: CreateSandbox = serde_json::from_value(body).expect("the shape is right");
        sandbox_request(body)
            .map(|request| request.config.publish[0].to_string())
            .map_err(|error| error.to_string())
    };
    for (port, wanted) in [
        (json!({"PrivatePort": 80, "Type": "tcp"}), ":80/tcp"),
        (json!({"IP": "", "PrivatePort": 80, "PublicPort": 0, "Type": "tcp"}), ":80/tcp"),
        (json!({"IP": "::1", "PrivatePort": 80, "PublicPort": 8080, "Type": "sctp"}), "[::1]:8080:80/sctp"),
        (
            json!({"PrivatePort": 80, "PrivatePortEnd": 90, "PublicPort": 8000, "PublicPortEnd": 8010, "Type": "udp"}),
            "8000-8010:80-90/udp",
        ),
    ] {
        assert_eq!(ask(port.clone()), Ok(wanted.to_owned()), "{port}");
    }
    for (port, text) in [
        (json!({"PrivatePort": 80, "PrivatePortEnd": 70, "Type": "tcp"}), "invalid range of ports: 80-70"),
        (
            json!({"PrivatePort": 80, "PrivatePortEnd": 90, "PublicPort": 8000, "Type": "tcp"}),
            "invalid ranges",
        ),
        (json!({"PrivatePort": 0, "Type": "tcp"}), "invalid containerPort"),
        (json!({"PrivatePort": 80, "Type": "icmp"}), "invalid proto: icmp"),
    ] {
        let error = ask(port.clone()).expect_err("it makes no sense");
        assert!(error.contains(text), "{port} gave {error}");
    }
}
