//! `netebpf network connect`: joins a sandbox to a further network, at once if it runs.

use std::collections::BTreeMap;

use crate::{
    cli::{
        Client, Error,
        args::ConnectArgs,
        client::segment,
        sandbox::{OptionError, addresses, parse_mac},
    },
    frontend::api::wire::{Connect, EndpointConfig},
};

pub(in crate::cli) async fn run(args: ConnectArgs, client: &Client) -> Result<(), Error> {
    let path = format!("/networks/{}/connect", segment(&args.network));
    let config = endpoint(&args).map_err(Error::Usage)?;
    Ok(client.post(&path, &Connect { container: args.sandbox, endpoint_config: Some(config) }).await?)
}

/// Docker's client tells the daemon also what nothing is wished of, and `inspect` shows it.
fn endpoint(args: &ConnectArgs) -> Result<EndpointConfig, OptionError> {
    let wishes = addresses(args.ip, args.ip6, &args.link_local_ips);
    let links: Vec<_> = args.links.iter().map(ToString::to_string).collect();
    Ok(EndpointConfig {
        ipam_config: Some(wishes.unwrap_or_default()),
        links: (!links.is_empty()).then_some(links),
        aliases: Some(args.aliases.clone()),
        driver_opts: Some(driver_options(&args.driver_options)?),
        gw_priority: args.gw_priority,
        mac_address: args.mac_address.as_deref().map_or(Ok(String::new()), parse_mac)?,
    })
}

fn driver_options(texts: &[String]) -> Result<BTreeMap<String, String>, OptionError> {
    let read = |text: &String| {
        let pair = text.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        pair.filter(|(key, _)| !key.is_empty()).ok_or(OptionError::DriverOption)
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{
        cli::{
            self,
            args::{Command, NetworkCommand},
        },
        frontend::api::wire::EndpointIpamConfig,
    };

    fn parse(options: &[&str]) -> Result<EndpointConfig, String> {
        let line = ["netebpf", "network", "connect"].iter().chain(options).chain(&["front", "web"]);
        let line: Vec<_> = line.map(OsString::from).collect();
        let args = cli::parse(&line).map_err(|refusal| refusal.to_string())?;
        let Command::Network(NetworkCommand::Connect(args)) = args.command else {
            return Err("another command".to_owned());
        };
        endpoint(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn every_option_arrives() {
        let options = "--alias a,b --alias c --driver-opt X.y=1,z= --gw-priority -5 --ip 10.1.0.5 --ip6 fd00::5 \
                       --link db:store --link-local-ip 169.254.8.8,fe80::8 --mac-address 02-42-AC-11-00-02";
        let owned = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
        let options: Vec<_> = options.split_whitespace().collect();
        let expected = EndpointConfig {
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: "10.1.0.5".to_owned(),
                ipv6_address: "fd00::5".to_owned(),
                link_local_ips: owned(&["169.254.8.8", "fe80::8"]),
            }),
            links: owned(&["db:store"]),
            aliases: owned(&["a", "b", "c"]),
            driver_opts: Some(
                [("X.y", "1"), ("z", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ),
            gw_priority: -5,
            mac_address: "02:42:ac:11:00:02".to_owned(),
        };
        assert_eq!(parse(&options), Ok(expected));
        let nothing = EndpointConfig {
            ipam_config: Some(EndpointIpamConfig::default()),
            aliases: Some(Vec::new()),
            driver_opts: Some(BTreeMap::new()),
            ..EndpointConfig::default()
        };
        assert_eq!(parse(&[]), Ok(nothing));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_dockers_words() {
        let pair = "invalid key/value pair format in driver options";
        for (options, text) in [
            (["--driver-opt", "a"], pair),
            (["--driver-opt", "=b"], pair),
            (["--mac-address", "x"], "x is not a valid mac address"),
        ] {
            assert_eq!(parse(&options), Err(text.to_owned()));
        }
    }
}
