//! Which ports a sandbox publishes and exposes: read when all flags are, as by Docker's client.

use super::OptionError;
use crate::{
    frontend::api::wire::Port,
    model::{ExposedPorts, PortRange, PublishRequest},
};

/// What `-p` asks for, also as `published=8080,target=80,protocol=tcp`.
pub(super) fn published(texts: &[String]) -> Result<Vec<Port>, OptionError> {
    let read = |text: &String| {
        let standard = if text.contains('=') { standard_notation(text)? } else { text.clone() };
        Ok(port(standard.parse()?))
    };
    texts.iter().map(read).collect()
}

/// What `--expose` says.
pub(super) fn exposed(texts: &[String]) -> Result<Vec<String>, OptionError> {
    let read = |text: &String| Ok(text.parse::<ExposedPorts>()?.to_string());
    texts.iter().map(read).collect()
}

fn standard_notation(text: &str) -> Result<String, OptionError> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("published", value)) => published = value,
            Some(("target", value)) => target = value,
            Some(("protocol", value)) => protocol = value,
            None | Some(("", _)) => return Err(OptionError::PublishField(field.to_owned())),
            // Docker's client passes over what it does not know, such as `mode`.
            Some(_) => {}
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

fn port(request: PublishRequest) -> Port {
    Port {
        ip: request.host_address.map(|address| address.to_string()).unwrap_or_default(),
        private_port: request.ports.first(),
        private_port_end: Some(request.ports.last()),
        public_port: request.host_ports.map(PortRange::first),
        public_port_end: request.host_ports.map(PortRange::last),
        protocol: request.protocol.to_string(),
    }
}
