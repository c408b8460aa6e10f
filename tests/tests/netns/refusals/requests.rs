//! What is asked of networks, and of sandboxes on them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::{Answer, Refusal, all_refused, furnished, type_in};
use crate::scene::Scene;

const CREATE: &[Refusal] = &[
    ("network create front", 409, "network with name front already exists"),
    ("network create host", 403, "operation is not permitted on predefined host network"),
    ("network create default", 403, "operation is not permitted on predefined default network"),
    ("network create ''", 400, "invalid name: name is empty"),
    ("network create -d weave new", 404, "plugin \"weave\" not found"),
    (
        "network create -d overlay new",
        403,
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to \
         swarm and try again.",
    ),
    ("network create -d host new", 403, "only one instance of \"host\" network is allowed"),
    ("network create -d null new", 403, "only one instance of \"null\" network is allowed"),
    ("network create --ingress new", 403, "Ingress network can only be global scope network"),
    (
        "network create --scope swarm new",
        403,
        "cannot create a swarm scoped network when swarm is not active",
    ),
    (
        "network create --config-only --internal new",
        403,
        "configuration network can only contain network specific fields. Network operator fields like \
         [ ingress | internal | attachable | scope ] are not supported.",
    ),
    (
        "network create --config-only --config-from base new",
        403,
        "a configuration network cannot depend on another configuration network",
    ),
    (
        "network create --config-from base --subnet 10.9.0.0/24 new",
        403,
        "user-specified configurations are not supported if the network depends on a configuration network",
    ),
    (
        "network create --config-from base -o a=b new",
        403,
        "network driver options are not supported if the network depends on a configuration network",
    ),
    ("network create --config-from nowhere new", 404, "configuration network \"nowhere\" does not exist"),
];

const LOOK_AND_REMOVE: &[Refusal] = &[
    ("network inspect nowhere", 404, "network nowhere not found"),
    ("network rm nowhere", 404, "network nowhere not found"),
    ("network rm host", 403, "host is a pre-defined network and cannot be removed"),
    ("network rm bridge", 403, "bridge is a pre-defined network and cannot be removed"),
    (
        "network rm full",
        403,
        "error while removing network: network full has active endpoints (name:\"last\" id:\"SHORT\")",
    ),
    ("network rm base", 403, "error while removing network: configuration network \"base\" is in use"),
    ("network ls --filter colour=red", 400, "invalid filter 'colour'"),
    // Docker says so with the status of a fault of its own.
    ("network ls --filter type=odd", 400, "invalid filter: 'type'='odd'"),
    (
        "network ls --filter dangling=odd",
        400,
        "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")",
    ),
    (
        "network ls --filter dangling=true --filter dangling=false",
        400,
        "got more than one value for filter key \"dangling\"",
    ),
    ("network prune -f --filter colour=red", 400, "invalid filter 'colour'"),
    ("network prune -f --filter until=soon", 400, "failed to parse value as time or duration: \"soon\""),
    ("network prune -f --filter until=1h --filter until=2h", 400, "more than one until filter specified"),
];

const CONNECT: &[Refusal] = &[
    ("network connect nowhere web", 404, "network nowhere not found"),
    ("network connect front nobody", 404, "No such container: nobody"),
    ("network connect front web", 403, "endpoint with name web already exists in network front"),
    ("network connect base web", 403, "cannot create endpoint on configuration-only network"),
    ("network connect host web", 400, HOST),
    ("network connect host off", 400, HOST),
    ("network connect none web", 400, NONE),
    ("network connect none off", 400, NONE),
    ("network connect front lonely", 400, NONE),
    ("network connect front hosted", 400, SHARED),
    ("network connect front shared", 400, SHARED),
];

const HOST: &str =
    "cannot connect container to host network - container must be created in host network mode";
const NONE: &str =
    "container cannot be connected to multiple networks with one of the networks in private (none) mode";
const SHARED: &str = "container sharing network namespace with another container or host cannot be connected to any other network";

const DISCONNECT: &[Refusal] = &[
    ("network disconnect nowhere web", 404, "network nowhere not found"),
    ("network disconnect front nobody", 404, "No such container: nobody"),
    ("network disconnect --force front nobody", 404, "endpoint nobody not found"),
    ("network disconnect plain web", 500, "container ID is not connected to network plain"),
    ("network disconnect --force plain web", 500, "container ID is not connected to network plain"),
    ("network disconnect plain off", 500, "container ID is not connected to the network plain"),
    ("network disconnect front hosted", 500, "container ID is not connected to network front"),
    (
        "network disconnect host hosted",
        400,
        "cannot disconnect container from host network - container was created in host network mode",
    ),
];

const RUN: &[Refusal] = &[
    (
        "run -d --name web --network front -- true",
        409,
        "Conflict. The container name \"/web\" is already in use by container \"ID\". \
         You have to remove (or rename) that container to be able to reuse that name.",
    ),
    (
        "run -d --network nowhere -- true",
        404,
        "failed to set up container networking: network nowhere not found",
    ),
    (
        "run -d --network base -- true",
        403,
        "failed to set up container networking: cannot create endpoint on configuration-only network",
    ),
    (
        "run -d --name taken --network front -p 8080:80 -- true",
        500,
        "failed to set up container networking: driver failed programming external connectivity on endpoint taken (ID): \
         Bind for 0.0.0.0:8080 failed: port is already allocated",
    ),
    (
        "start late",
        500,
        "failed to set up container networking: driver failed programming external connectivity on endpoint late (ID): \
         Bind for 0.0.0.0:8080 failed: port is already allocated",
    ),
    (
        "run -d --network container:nobody -- true",
        500,
        "joining network namespace of container: No such container: nobody",
    ),
    (
        "run -d --network container:off -- true",
        409,
        "cannot join network namespace of a non running container: container off is created",
    ),
];

#[test]
fn requests_are_refused_with_dockers_texts() -> Result<()> {
    let scene = furnished("requests")?;
    [CREATE, LOOK_AND_REMOVE, CONNECT, DISCONNECT, RUN]
        .into_iter()
        .try_for_each(|table| all_refused(&scene, table))
}

#[test]
fn beginnings_of_several_identifiers_are_refused_with_dockers_texts() -> Result<()> {
    let scene = furnished("ambiguous")?;
    let (digit, matches) = ambiguous(&scene)?;
    let refused = |line: &str, text: String| {
        let wanted = Answer { exit_code: Some(1), status: 400, text };
        assert_eq!(type_in(&scene, line).ok(), Some(wanted), "{line}");
    };
    refused(
        &format!("network inspect {digit}"),
        format!("{matches} matches found based on ID prefix: network {digit} is ambiguous"),
    );
    let text = format!("network {digit} is ambiguous ({matches} matches found based on ID prefix)");
    refused(&format!("network rm {digit}"), text.clone());
    refused(&format!("network connect {digit} web"), text);
    Ok(())
}

/// A digit with which several identifiers of networks begin, and how many; with a few more networks there is one.
fn ambiguous(scene: &Scene) -> Result<(char, usize)> {
    for number in 0..16 {
        let listed = scene.engine.ok(&["network", "ls", "-q"])?;
        let mut beginnings = BTreeMap::<char, usize>::new();
        for digit in listed.lines().filter_map(|id| id.chars().next()) {
            *beginnings.entry(digit).or_default() += 1;
        }
        if let Some(found) = beginnings.into_iter().find(|(_, count)| *count > 1) {
            return Ok(found);
        }
        scene.engine.ok(&["network", "create", &format!("more-{number}")])?;
    }
    None.context("identifiers of more than sixteen networks begin differently")
}
