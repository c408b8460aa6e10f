//! The server that tests put into sandboxes: it tells each client whom it saw.
#![forbid(unsafe_code)]

use std::{convert::Infallible, io};

use anyhow::Result;
use clap::Parser;
use netebpf_tests::probe::{Serve, Service};

#[derive(Parser)]
#[command(version, about)]
enum Arguments {
    /// Serves ports until it is killed.
    Serve {
        /// The name in the answers.
        #[arg(long, default_value = "server")]
        name: String,
        /// Ports as KIND:PORT; kinds are tcp, udp, stream, echo, sink, reflect, bulk, http, dnstcp, dnsudp and sctp.
        #[arg(required = true)]
        services: Vec<Service>,
    },
}

fn main() -> Result<Infallible> {
    let Arguments::Serve { name, services } = Arguments::parse();
    Serve { name, services }.run(io::stdout().lock())
}
