//! What the options of `run`, `create` and `attach` make of a request.

use std::path::Path;

use super::{OptionError, environment, networks, publish};
use crate::{
    cli::args::{AttachArgs, JoinArgs, NameArgs, PublishArgs, SandboxArgs},
    frontend::api::wire::CreateSandbox,
};

/// A sandbox with a command.
pub(super) fn with_command(args: SandboxArgs) -> Result<CreateSandbox, OptionError> {
    let SandboxArgs { name, rm, join, ports, names, env, env_file, workdir, labels, command, .. } = args;
    let NameArgs { hostname, domainname, dns, dns_search, dns_options, extra_hosts } = names;
    if let Some(directory) = workdir.as_ref().filter(|directory| !Path::new(directory).is_absolute()) {
        return Err(OptionError::WorkingDirectory(directory.clone()));
    }
    Ok(CreateSandbox {
        name: name.unwrap_or_default(),
        auto_remove: rm,
        hostname: hostname.unwrap_or_default(),
        domainname: domainname.unwrap_or_default(),
        dns: texts(&dns),
        dns_search: texts(&dns_search),
        dns_options,
        extra_hosts: texts(&extra_hosts),
        environment: environment::read(&env_file, &env)?,
        directory: workdir,
        command,
        ..network(&join, &ports, labels)?
    })
}

/// A sandbox around the namespace at a path.
pub(super) fn around(path: &Path, args: AttachArgs) -> Result<CreateSandbox, OptionError> {
    let AttachArgs { name, rm, join, ports, labels, .. } = args;
    Ok(CreateSandbox {
        name: name.unwrap_or_default(),
        adopt: Some(path.display().to_string()),
        auto_remove: rm,
        ..network(&join, &ports, labels)?
    })
}

fn network(
    join: &JoinArgs,
    ports: &PublishArgs,
    labels: Vec<(String, String)>,
) -> Result<CreateSandbox, OptionError> {
    let joined = networks::join(join)?;
    Ok(CreateSandbox {
        networks: joined.networks,
        share_with: joined.share_with,
        links: joined.links,
        ports: publish::published(&ports.publish)?,
        publish_all_ports: ports.publish_all,
        exposed_ports: publish::exposed(&ports.expose)?,
        labels: labels.into_iter().collect(),
        ..CreateSandbox::default()
    })
}

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{
        cli::{self, args::Command},
        frontend::api::wire::{NamedEndpoint, Port},
    };

    fn body(options: &[&str]) -> Result<CreateSandbox, String> {
        let line = ["netebpf", "run"].iter().chain(options).chain(&["--", "serve", "-x"]);
        let line: Vec<_> = line.map(OsString::from).collect();
        let args = cli::parse(&line).map_err(|refusal| refusal.to_string())?;
        let Command::Run(args) = args.command else { return Err("another command".to_owned()) };
        with_command(args.sandbox).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_arrives() {
        let options = "-dit --rm --name web -h box --domainname example.org --network front --expose 81-82/udp -P \
                       -p 127.0.0.1:8080:80 -p published=8081,target=81 --dns 192.0.2.1 --dns-search example.org \
                       --dns-option ndots:1 --dns-opt debug --add-host db=10.0.0.7 --add-host gw:host-gateway -e A=1 \
                       --env B=2 -w /tmp -l stage=test --label bare --link db:store";
        let options: Vec<_> = options.split_whitespace().collect();
        let port = |ip: &str, public: u16, private: u16| Port {
            ip: ip.to_owned(),
            private_port: private,
            private_port_end: Some(private),
            public_port: Some(public),
            public_port_end: Some(public),
            protocol: "tcp".to_owned(),
        };
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let expected = CreateSandbox {
            name: "web".to_owned(),
            networks: vec![NamedEndpoint { network: "front".to_owned(), ..NamedEndpoint::default() }],
            ports: vec![port("127.0.0.1", 8080, 80), port("", 8081, 81)],
            publish_all_ports: true,
            exposed_ports: owned(&["81-82/udp"]),
            links: owned(&["db:store"]),
            command: owned(&["serve", "-x"]),
            environment: owned(&["A=1", "B=2"]),
            directory: Some("/tmp".to_owned()),
            labels: [("bare", ""), ("stage", "test")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            hostname: "box".to_owned(),
            domainname: "example.org".to_owned(),
            dns: owned(&["192.0.2.1"]),
            dns_search: owned(&["example.org"]),
            dns_options: owned(&["ndots:1", "debug"]),
            extra_hosts: owned(&["db:10.0.0.7", "gw:host-gateway"]),
            auto_remove: true,
            ..CreateSandbox::default()
        };
        assert_eq!(body(&options), Ok(expected));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_dockers_words() {
        for (options, text) in [
            (&["-w", "tmp"][..], "the working directory 'tmp' is invalid, it needs to be an absolute path"),
            (&["--mac-address", "x"], "x is not a valid mac address"),
            (&["--network", "a", "--network", "a"], "network \"a\" is specified multiple times"),
            (&["--network", "name=a,colour=red"], "invalid field key colour"),
            (&["--dns", "x"], "IP address is not correctly formatted: x"),
            (&["--dns-search", "a b"], "a b is not a valid domain"),
            (&["--add-host", "db"], "bad format for add-host: \"db\""),
            (&["--add-host", "db=x"], "invalid IP address in add-host: \"x\""),
            (&["--link", ""], "empty string specified for links"),
            (&["--link", "a:b:c"], "bad format for links: a:b:c"),
            (&["--expose", "x"], "invalid range format for --expose: invalid start port 'x': invalid syntax"),
            (&["-p", "8080:80/icmp"], "invalid proto: icmp"),
            (&["-p", "published=80,x"], "invalid publish opts format (should be name=value but got 'x')"),
        ] {
            let error = body(options).expect_err(text);
            assert!(error.contains(text), "{options:?} gave {error}");
        }
    }
}
