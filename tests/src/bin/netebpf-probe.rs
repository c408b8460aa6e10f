//! The program that tests put into sandboxes: a server that tells each client whom it saw, and a client of name servers.
#![forbid(unsafe_code)]

use std::{
    io::{self, Write as _},
    net::SocketAddr,
};

use anyhow::Result;
use clap::Parser;
use netebpf_tests::{
    dns::{DOCKERS, Question},
    probe::{Serve, Service},
};

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
    /// Asks a name server, and tells the answers line by line.
    Ask {
        /// Address and port of the server.
        #[arg(long, default_value_t = DOCKERS)]
        server: SocketAddr,
        /// Questions as `TYPE NAME`, maybe followed by words such as `tcp`.
        #[arg(required = true)]
        questions: Vec<Question>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Serve { name, services } => {
            let never = Serve { name, services }.run(io::stdout().lock())?;
            match never {}
        }
        Arguments::Ask { server, questions } => {
            for question in questions {
                let told = question.ask(server).unwrap_or_else(|error| format!("{error:#}"));
                writeln!(io::stdout(), "{question}: {told}")?;
            }
            Ok(())
        }
    }
}
