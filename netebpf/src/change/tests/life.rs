//! Sandboxes made, started, stopped and started again.

use super::*;

#[test]
fn a_sandbox_that_is_not_active_has_nothing_but_its_wishes() {
    let mut world = small_world();
    world.network("back", Some("10.2.0.0/24")).expect("a network");
    let mut request = sandbox_request("db", "front");
    request.networks[0].settings.addresses = wishes(Some("10.1.0.50"));
    request.config.publish = vec!["8080:80".parse().expect("a port")];
    world.change(|spec, context| create_sandbox(spec, request, context)).expect("a sandbox");
    assert_eq!((world.endpoints("db").len(), world.ports("db").len()), (0, 0));
    world.connect("back", "db", None).expect("it is remembered");
    world.connect("back", "db", None).expect("saying it twice changes nothing");
    let taken = "Bind for 0.0.0.0:8080 failed: port is already allocated";
    refused(world.start("db"), Kind::Internal, taken);
    world.stop("web", 0);
    world.start("db").expect("the port is free");
    assert_eq!(world.endpoints("db"), ["eth0 10.1.0.50", "eth1 10.2.0.2"]);
    assert_eq!(world.ports("db"), ["0.0.0.0:8080->80/tcp"]);
}

#[test]
fn wished_addresses_come_back_and_others_go_to_whoever_is_first() {
    let mut world = small_world();
    let mut fixed = sandbox_request("fixed", "front");
    fixed.networks[0].settings.addresses = wishes(Some("10.1.0.9"));
    world.run(fixed).expect("a sandbox");
    world.sandbox("loose", "front", &[]).expect("a sandbox");
    world.stop("fixed", 0);
    world.stop("loose", 0);
    world.sandbox("newcomer", "front", &[]).expect("a sandbox");
    world.start("loose").expect("it starts");
    world.start("fixed").expect("it starts");
    assert_eq!(world.endpoints("newcomer"), ["eth0 10.1.0.3"]);
    assert_eq!(world.endpoints("loose"), ["eth0 10.1.0.4"]);
    assert_eq!(world.endpoints("fixed"), ["eth0 10.1.0.9"]);
    world.stop("fixed", 0);
    world.connect("front", "web", Some("10.1.0.9")).expect_err("it is on the network");
    let mut thief = sandbox_request("thief", "front");
    thief.networks[0].settings.addresses = wishes(Some("10.1.0.9"));
    world.run(thief).expect("a sandbox");
    refused(world.start("fixed"), Kind::Forbidden, "Address already in use");
}

#[test]
fn a_start_that_came_to_nothing_leaves_the_sandbox_created() {
    let mut world = small_world();
    let request = sandbox_request("db", "front");
    let id = world.change(|spec, context| create_sandbox(spec, request, context)).expect("a sandbox");
    world.change(|spec, context| start_sandbox(spec, "db", PROCESS, context)).expect("it starts");
    let active = format!("container {id} is already running");
    refused(world.start("db"), Kind::Conflict, &active);
    world.stop("db", 127);
    assert_eq!(world.named("db").state, SandboxState::Created);
    let idle = format!("container {id} is not running");
    refused(world.change(|spec, _| mark_running(spec, id, None, 5)), Kind::Conflict, &idle);
}

#[test]
fn those_that_share_a_namespace_end_with_it() {
    let mut world = small_world();
    let sharing = |name: &str| SandboxRequest {
        mode: ModeRequest::Container("web".to_owned()),
        networks: Vec::new(),
        ..sandbox_request(name, "front")
    };
    let side = world.run(sharing("side")).expect("a sandbox");
    let web = world.named("web").id;
    let shared = "container sharing network namespace with another container or host cannot be connected to any other network";
    refused(world.connect("front", "side", None), Kind::InvalidParameter, shared);
    let ended = world.change(|spec, _| mark_exited(spec, web, 0, 4)).expect("it ends");
    assert_eq!(ended, [side]);
    let late = "cannot join network namespace of a non running container: container web is exited";
    refused(world.run(sharing("late")), Kind::Conflict, late);
    let mut published = sharing("published");
    published.config.publish = vec!["80".parse().expect("a port")];
    refused(
        world.run(published),
        Kind::InvalidParameter,
        "conflicting options: port publishing and the container type network mode",
    );
}

#[test]
fn links_on_the_default_bridge_need_a_running_sandbox() {
    let mut world = small_world();
    let default = [("com.docker.network.bridge.default_bridge".to_owned(), "true".to_owned())];
    world
        .make_network(NetworkRequest { options: default.into(), ..network_request("docker") })
        .expect("a network");
    world.sandbox("db", "docker", &[]).expect("a sandbox");
    let linked = |name: &str, to: &str| SandboxRequest {
        links: vec![to.parse().expect("the test gives links")],
        ..sandbox_request(name, "docker")
    };
    world.run(linked("one", "db:store")).expect("a sandbox");
    let missing = "could not get container for ghost: No such container: ghost";
    refused(world.run(linked("two", "ghost")), Kind::NotFound, missing);
    let (one, db) = (world.named("one"), world.named("db").id);
    assert_eq!((one.links[0].sandbox, one.links[0].alias.as_str()), (db, "store"));
    world.stop("db", 0);
    let stopped = "Cannot link to a non running container: /db AS /two/db";
    refused(world.run(linked("two", "db")), Kind::Conflict, stopped);
    world.change(|spec, _| remove_sandbox(spec, "db", false)).expect("it goes");
    assert_eq!(world.named("one").links, []);
}

#[test]
fn links_on_other_networks_are_names_of_whoever_comes() {
    let mut world = small_world();
    let request = SandboxRequest {
        links: vec!["ghost:db".parse().expect("a link")],
        ..sandbox_request("one", "front")
    };
    world.run(request).expect("nobody needs to be there");
    let one = world.named("one");
    assert_eq!(one.links, []);
    assert_eq!(one.attachments[0].settings.links[0].to_string(), "ghost:db");
}

#[test]
fn names_are_made_up_where_nobody_chooses_one() {
    let mut world = small_world();
    let mut nameless = || {
        let request = SandboxRequest { name: None, ..sandbox_request("unused", "front") };
        let id = world.run(request).expect("a sandbox");
        world.drawn = 0;
        world.spec.sandboxes[&id].name.to_string()
    };
    let (first, second) = (nameless(), nameless());
    assert!(first.contains('_') && first != second, "{first} {second}");
}

#[test]
fn what_keeps_a_sandbox_from_starting_is_told_with_dockers_words() {
    let mut world = small_world();
    let text = |result: Result<(), Error>| result.expect_err("it cannot start").to_string();
    let mut request = sandbox_request("two", "front");
    request.config.publish = vec!["8080:80".parse().expect("a port")];
    world.change(|spec, context| create_sandbox(spec, request, context)).expect("a sandbox");
    let told = text(world.start("two"));
    let begin = "failed to set up container networking: driver failed programming external connectivity on endpoint two (";
    assert!(told.starts_with(begin), "{told}");
    assert!(told.ends_with("): Bind for 0.0.0.0:8080 failed: port is already allocated"), "{told}");
    let mut outside = sandbox_request("three", "front");
    outside.networks[0].settings.addresses = wishes(Some("10.9.0.1"));
    let told = text(world.change(|spec, context| create_sandbox(spec, outside, context)).map(drop));
    let wanted = "invalid config for network front: invalid endpoint settings:\n\
                  no configured subnet contains IP address 10.9.0.1";
    assert_eq!(told, wanted);
    let mut taken = sandbox_request("four", "front");
    taken.networks[0].settings.addresses = wishes(Some("10.1.0.2"));
    world.change(|spec, context| create_sandbox(spec, taken, context)).expect("a sandbox");
    let told = text(world.start("four"));
    assert_eq!(told, "failed to set up container networking: Address already in use");
}
