//! The daemon's configuration file and flags, and the default network that they describe.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    thread,
};

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::{
    engine::{Engine, Said},
    probe::{Answer, PATIENT, Server, Service, ping, tcp},
    scenario::Sandbox,
    topology::{CLIENT, HOST, World},
};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use serde_json::{Value, json};

/// The default network's device.
const DEVICE: &str = "netebpf0";
const SERVICE: u16 = 9999;

/// An engine with a configuration file.
struct Configured {
    engine: Engine,
    world: Arc<World>,
}

impl Configured {
    fn start(name: &str, file: &Value) -> Result<Self> {
        let world = Arc::new(World::new(name)?);
        write(&world, file)?;
        let path = path(&world);
        let engine = Engine::start_with(Arc::clone(&world), &["--config-file", &path])?;
        Ok(Self { engine, world })
    }

    fn restart(&self, file: &Value) -> Result<()> {
        self.engine.terminate()?;
        write(&self.world, file)?;
        self.engine.launch()
    }

    fn run(&self, name: &str, options: &[&str]) -> Result<Sandbox> {
        Sandbox::run(&self.world, &self.engine, (name, "bridge"), options, &[Service::Tcp(80)])
    }

    fn subnet(&self) -> Result<String> {
        let format = "{{range .IPAM.Config}}{{.Subnet}} {{end}}";
        Ok(self.engine.ok(&["network", "inspect", "-f", format, "bridge"])?.trim().to_owned())
    }
}

fn path(world: &World) -> String {
    world.directory().join("daemon.json").display().to_string()
}

fn write(world: &World, file: &Value) -> Result<()> {
    Ok(fs::write(path(world), file.to_string())?)
}

/// Where IPv4 default routes lead in a sandbox.
fn default_gateway(sandbox: &Sandbox) -> Result<Ipv4Addr> {
    let routes = sandbox.namespace.run(|| Ok(fs::read_to_string("/proc/thread-self/net/route")?))?;
    let fields = routes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let gateway = fields.into_iter().find(|route| route.get(1) == Some(&"00000000"));
    let gateway = gateway.with_context(|| format!("no default route: {routes}"))?;
    // In the host's byte order.
    Ok(u32::from_str_radix(gateway[2], 16)?.to_ne_bytes().into())
}

#[test]
fn the_default_network_has_the_addresses_and_the_mtu_of_the_file() -> Result<()> {
    let scene = Configured::start(
        "config-addresses",
        &json!({
            "bip": "10.77.0.9/24",
            "fixed-cidr": "10.77.0.128/25",
            "ipv6": true,
            "bip6": "fd00:77::9/64",
            "fixed-cidr-v6": "fd00:77::8000/113",
            "mtu": 1400,
            "ip": "127.0.0.1",
        }),
    )?;
    let host = &scene.world.host;
    for address in ["10.77.0.9", "fd00:77::9"] {
        assert_eq!(host.link_of(address.parse()?)?, DEVICE);
    }
    let web = scene.run("web", &["-p", "8080:80"])?;
    let app = scene.run("app", &[])?;
    assert_eq!([web.address, app.address].map(|address| address.to_string()), ["10.77.0.128", "10.77.0.129"]);
    let v6 = [&web, &app].map(|sandbox| sandbox.address6.map(|address| address.to_string()));
    assert_eq!(v6, [Some("fd00:77::8000".to_owned()), Some("fd00:77::8001".to_owned())]);
    assert_eq!((web.namespace.mtu_of("eth0")?, host.mtu_of(DEVICE)?), (1400, 1400));
    assert_eq!(default_gateway(&web)?.to_string(), "10.77.0.9");
    for address in ["10.77.0.9", "fd00:77::9", "10.77.0.129", "fd00:77::8001"] {
        let to: IpAddr = address.parse()?;
        assert_eq!(web.namespace.run(|| ping(to, PATIENT))?, Answer::Echoed, "{to}");
    }
    let ports = scene.engine.ok(&["ps"])?;
    assert!(ports.contains("127.0.0.1:8080->80/tcp") && !ports.contains("0.0.0.0:8080"), "{ports}");
    let by_loopback = host.run(|| tcp((Ipv4Addr::LOCALHOST, 8080).into(), PATIENT))?;
    assert!(by_loopback.to_string().contains("web"), "{by_loopback}");
    let refused = scene.world.client.run(|| tcp((HOST, 8080).into(), Answer::Refused.patience()))?;
    assert_eq!(refused, Answer::Refused);
    Ok(())
}

#[test]
fn a_fixed_range_alone_is_the_subnet_and_default_routes_lead_where_the_file_says() -> Result<()> {
    let file = json!({ "fixed-cidr": "10.78.0.0/28", "default-gateway": "10.78.0.14" });
    let scene = Configured::start("config-gateway", &file)?;
    let web = scene.run("web", &[])?;
    assert_eq!((scene.subnet()?.as_str(), web.address.to_string().as_str()), ("10.78.0.0/28", "10.78.0.2"));
    assert_eq!(scene.world.host.link_of("10.78.0.1".parse()?)?, DEVICE);
    assert_eq!(default_gateway(&web)?.to_string(), "10.78.0.14");
    Ok(())
}

#[test]
fn sandboxes_of_the_default_network_are_kept_apart_where_icc_is_off() -> Result<()> {
    let scene = Configured::start("config-icc", &json!({ "icc": false }))?;
    let _server = Server::start(&scene.world.probe(), &scene.world.client, &[Service::Tcp(SERVICE)])?;
    let (web, app) = (scene.run("web", &[])?, scene.run("app", &[])?);
    let apart = app.namespace.run(|| tcp((web.address, 80).into(), Answer::TimedOut.patience()))?;
    assert_eq!(apart, Answer::TimedOut);
    let out = app.namespace.run(|| tcp((CLIENT, SERVICE).into(), PATIENT))?;
    assert_eq!(out, Answer::seen("client", HOST), "the way out is open");
    Ok(())
}

#[test]
fn sandboxes_of_the_default_network_come_as_themselves_without_masquerade() -> Result<()> {
    let scene = Configured::start("config-masquerade", &json!({ "ip-masq": false, "bip": "10.79.0.1/24" }))?;
    let _server = Server::start(&scene.world.probe(), &scene.world.client, &[Service::Tcp(SERVICE)])?;
    scene.world.client.route("10.79.0.0/24".parse::<ipnet::IpNet>()?, HOST)?;
    let web = scene.run("web", &[])?;
    let seen = web.namespace.run(|| tcp((CLIENT, SERVICE).into(), PATIENT))?;
    assert_eq!(seen, Answer::seen("client", web.address));
    Ok(())
}

#[test]
fn the_file_switches_the_default_network_off() -> Result<()> {
    let scene = Configured::start("config-none", &json!({ "bridge": "none" }))?;
    assert_eq!(scene.engine.ok(&["network", "ls", "--format", "{{.Name}}"])?, "host\nnone\n");
    ensure!(!scene.world.host.links()?.contains(&DEVICE.to_owned()));
    scene.restart(&json!({}))?;
    assert_eq!(scene.engine.ok(&["network", "ls", "--format", "{{.Name}}"])?, "bridge\nhost\nnone\n");
    ensure!(scene.world.host.links()?.contains(&DEVICE.to_owned()));
    Ok(())
}

#[test]
fn a_changed_file_is_in_force_when_the_daemon_starts_with_nobody_on_the_default_network() -> Result<()> {
    let scene = Configured::start("config-anew", &json!({ "bip": "10.80.0.1/24" }))?;
    assert_eq!(scene.subnet()?, "10.80.0.0/24");
    scene.restart(&json!({ "bip": "10.81.0.1/24", "ipv6": true, "bip6": "fd00:81::1/64" }))?;
    assert_eq!(scene.subnet()?, "10.81.0.0/24 fd00:81::/64");
    let host = &scene.world.host;
    assert_eq!(host.link_of("fd00:81::1".parse()?)?, DEVICE);
    ensure!(host.link_of("10.80.0.1".parse()?).is_err(), "the old address is gone");

    let web = scene.run("web", &["-p", "8080:80"])?;
    scene.restart(&json!({ "bip": "10.82.0.1/24" }))?;
    assert_eq!(scene.subnet()?, "10.81.0.0/24 fd00:81::/64", "web is on it");
    let log = scene.engine.log();
    let notice = "the default network stays as it is until the daemon starts without a sandbox on it; then the subnet \
                  is 10.82.0.0/24, the bridge has 10.82.0.1, fd00:81::/64 is gone (on it now: web)";
    ensure!(log.contains(notice), "{log}");
    let seen = scene.world.client.run(|| tcp((HOST, 8080).into(), PATIENT))?;
    assert_eq!(seen, Answer::seen("web", CLIENT));
    drop(web);
    scene.engine.ok(&["rm", "-f", "web"])?;
    scene.restart(&json!({ "bip": "10.82.0.1/24" }))?;
    assert_eq!(scene.subnet()?, "10.82.0.0/24");
    assert_eq!(scene.run("web", &[])?.address.to_string(), "10.82.0.2");
    assert_eq!(scene.engine.ok(&["plan"])?.trim(), "nothing to do");
    Ok(())
}

#[test]
fn the_default_network_is_on_the_bridge_of_the_user_with_its_addresses() -> Result<()> {
    let world = Arc::new(World::new("config-bridge")?);
    world.host.bridge("lan0")?;
    world.host.up("lan0")?;
    for address in ["10.84.0.1/24", "10.85.0.1/16"] {
        world.host.address("lan0", address.parse::<ipnet::IpNet>()?)?;
    }
    let mut engine = Engine::stopped(Arc::clone(&world))?;
    let path = path(&world);
    write(&world, &json!({ "bridge": "lan1" }))?;
    let missing = engine.cli(&["daemon", "--config-file", &path])?;
    refused(&missing, "bridge device with non default name lan1 must be created manually");

    write(&world, &json!({ "bridge": "lan0", "fixed-cidr": "10.85.1.0/24" }))?;
    engine.set_options(&["--config-file", &path]);
    engine.launch()?;
    let web = Sandbox::run(&world, &engine, ("web", "bridge"), &["-p", "8080:80"], &[Service::Tcp(80)])?;
    assert_eq!(web.address.to_string(), "10.85.1.0");
    assert_eq!(default_gateway(&web)?.to_string(), "10.85.0.1");
    let seen = world.client.run(|| tcp((HOST, 8080).into(), PATIENT))?;
    assert_eq!(seen, Answer::seen("web", CLIENT));
    drop(web);
    engine.clean_up()?;
    assert_eq!(world.host.link_of("10.84.0.1".parse()?)?, "lan0", "the bridge is the user's");
    Ok(())
}

#[test]
fn new_networks_have_the_options_of_the_file_unless_the_user_says_otherwise() -> Result<()> {
    let mtu = "com.docker.network.driver.mtu";
    let file = json!({ "bridge": "none", "default-network-opts": { "bridge": { mtu: "1300" } } });
    let scene = Configured::start("config-options", &file)?;
    let engine = &scene.engine;
    engine.ok(&["network", "create", "plain"])?;
    engine.ok(&["network", "create", "-o", &format!("{mtu}=1350"), "said"])?;
    let options = |name| engine.ok(&["network", "inspect", "-f", "{{json .Options}}", name]);
    assert_eq!(options("plain")?.trim(), format!("{{\"{mtu}\":\"1300\"}}"));
    assert_eq!(options("said")?.trim(), format!("{{\"{mtu}\":\"1350\"}}"));
    let web = Sandbox::run(&scene.world, engine, ("web", "plain"), &[], &[Service::Tcp(80)])?;
    assert_eq!(web.namespace.mtu_of("eth0")?, 1300);
    Ok(())
}

#[test]
fn flags_describe_the_default_network_as_well() -> Result<()> {
    let world = Arc::new(World::new("config-flags")?);
    // An empty name stands for the engine's own device, as with dockerd.
    let options =
        ["--bridge=", "--bip", "10.83.0.1/24", "--mtu=1450", "--icc=false", "--ipv6", "--ip", "127.0.0.1"];
    let engine = Engine::start_with(Arc::clone(&world), &options)?;
    let option = |name: &str| {
        let format = format!("{{{{index .Options \"com.docker.network.{name}\"}}}}");
        Ok::<_, anyhow::Error>(engine.ok(&["network", "inspect", "-f", &format, "bridge"])?.trim().to_owned())
    };
    assert_eq!(option("driver.mtu")?, "1450");
    assert_eq!(option("bridge.enable_icc")?, "false");
    assert_eq!(option("bridge.host_binding_ipv4")?, "127.0.0.1");
    assert_eq!(engine.ok(&["network", "inspect", "-f", "{{.EnableIPv6}}", "bridge"])?, "true\n");
    assert_eq!(world.host.link_of("10.83.0.1".parse()?)?, DEVICE);
    Ok(())
}

#[track_caller]
fn refused(said: &Said, text: &str) {
    assert_eq!(said.code, Some(1), "{said:?}");
    let is_meant = |line: &str| line.starts_with("Error: ") && line.contains(text);
    assert!(said.stderr.lines().any(is_meant), "{said:?}");
}

#[test]
fn a_configuration_is_checked_and_printed_without_a_daemon() -> Result<()> {
    let world = Arc::new(World::new("config-check")?);
    let engine = Engine::stopped(Arc::clone(&world))?;
    let path = path(&world);
    let validate = |file: &Value, flags: &[&str]| {
        write(&world, file)?;
        engine.cli(&[&["daemon", "--validate", "--config-file", &path], flags].concat())
    };
    let said = validate(&json!({ "icc": false }), &["--bip", "10.0.0.1/8"])?;
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (Some(0), "", "configuration OK\n"));

    let start = format!("unable to configure the netebpf daemon with file {path}: ");
    for (file, flags, text) in [
        (json!({ "foo": 1 }), &[][..], "the following directives don't match any configuration option: foo"),
        (
            json!({ "icc": false }),
            &["--icc=true"],
            "the following directives are specified both as a flag and in the configuration file: \
             icc: (from flag: true, from file: false)",
        ),
        (json!({ "bip": "x" }), &[], "invalid bip: \"x\""),
        (
            json!({ "bridge": "lan0" }),
            &["--bip", "10.0.0.1/8"],
            "You specified -b & --bip, mutually exclusive options. Please specify only one",
        ),
    ] {
        refused(&validate(&file, flags)?, &format!("{start}{text}"));
    }
    let missing = engine.cli(&["daemon", "--config-file", "/nonexistent.json"])?;
    refused(&missing, "with file /nonexistent.json: No such file or directory");

    let printed = engine.json(&["daemon", "--print-default-config"])?;
    let said = validate(&printed, &[])?;
    assert_eq!(said.code, Some(0), "the default file is a valid file: {said:?}");
    let schema = engine.json(&["daemon", "--print-config-schema"])?;
    let properties = schema.get("properties").and_then(Value::as_object).context("no properties")?;
    let directives = printed.as_object().context("no object")?;
    ensure!(directives.keys().all(|key| properties.contains_key(key)), "{schema}");
    Ok(())
}

#[test]
fn subnets_are_chosen_around_the_hosts_name_servers() -> Result<()> {
    let world = Arc::new(World::new("config-servers")?);
    let resolv_conf = world.directory().join("resolv.conf");
    fs::write(&resolv_conf, "nameserver 172.17.0.53\nnameserver 172.18.255.1\nnameserver fd00::53\n")?;
    let mut engine = Engine::stopped(Arc::clone(&world))?;
    thread::scope(|scope| {
        let beside = scope.spawn(|| -> Result<()> {
            // The daemon's view of the file system is that of the thread that starts it.
            unshare(CloneFlags::CLONE_NEWNS)?;
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?;
            mount(Some(&resolv_conf), "/etc/resolv.conf", none, MsFlags::MS_BIND, none)?;
            engine.launch()
        });
        beside.join().expect("no panic")
    })?;
    engine.ok(&["network", "create", "lan"])?;
    let subnet =
        engine.ok(&["network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", "lan"])?;
    assert_eq!(subnet, "172.19.0.0/16\n");
    engine.clean_up()
}
