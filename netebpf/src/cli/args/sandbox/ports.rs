//! Which ports of a sandbox are published.

use clap::Args;

use crate::model::{ExposedPorts, PublishError, PublishRequest};

/// Which ports of a sandbox are published.
#[derive(Debug, Clone, Default, Args)]
pub struct PublishArgs {
    /// Publish a port of the sandbox on the host
    ///
    /// Without a host address on every address of the host, IPv4 and IPv6. PORT may be a range such as 80-90, with a
    /// range of as many host ports. A single port may be given a range of host ports to choose from. Without a host port
    /// any free one is taken.
    #[arg(short, long, value_name = "[HOSTIP:][HOSTPORT:]PORT[/tcp|udp|sctp]", value_parser = parse_publish)]
    pub publish: Vec<PublishRequest>,

    /// Publish every exposed port on a free port of the host
    #[arg(short = 'P', long)]
    pub publish_all: bool,

    /// Say that the sandbox listens on a port: for --publish-all, and for links where ICC is off
    #[arg(long, value_name = "PORT[-PORT][/tcp|udp|sctp]")]
    pub expose: Vec<ExposedPorts>,
}

/// Reads a port also as `published=8080,target=80,protocol=tcp`.
fn parse_publish(text: &str) -> Result<PublishRequest, String> {
    let parse = |text: &str| text.parse().map_err(|error: PublishError| error.to_string());
    if !text.contains('=') {
        return parse(text);
    }
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            None | Some(("", _)) => {
                return Err(format!("invalid publish opts format (should be name=value but got '{field}')"));
            }
            // Docker's client passes over what it does not know, such as `mode`.
            Some(_) => {}
        }
    }
    parse(&format!("{published}:{target}/{protocol}"))
}
