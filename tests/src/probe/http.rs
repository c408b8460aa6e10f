//! As much HTTP/1.1 (RFC 9112) as a browser and a simple server speak: connections that are kept and used in parallel.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
};

use anyhow::{Context as _, Result, anyhow, ensure};

use super::PATIENT;

/// Connections that a browser opens to one server.
const PARALLEL: usize = 6;

/// Fetches pages of all sizes, `rounds` on each of several connections at once; gives how many pages came.
pub fn browse(to: SocketAddr, rounds: usize) -> Result<usize> {
    thread::scope(|scope| {
        let tabs: Vec<_> = (0..PARALLEL).map(|tab| scope.spawn(move || fetch(to, tab, rounds))).collect();
        tabs.into_iter().map(|tab| tab.join().map_err(|_| anyhow!("a tab panicked"))?).sum()
    })
}

/// One connection, kept for all its requests.
fn fetch(to: SocketAddr, tab: usize, rounds: usize) -> Result<usize> {
    let stream = TcpStream::connect_timeout(&to, PATIENT).with_context(|| format!("connect to {to}"))?;
    stream.set_read_timeout(Some(PATIENT))?;
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    for round in 0..rounds {
        let size = (round * 7919 + tab * 104_729) % 100_000;
        write!(writer, "GET /{size} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: netebpf-probe\r\n\r\n")?;
        let head = head(&mut reader)?.context("the server hung up")?;
        ensure!(head.first().is_some_and(|line| line == "HTTP/1.1 200 OK"), "the server said {head:?}");
        let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: "));
        ensure!(length.is_some_and(|length| length == size.to_string()), "{size} bytes wanted: {head:?}");
        let mut body = vec![0; size];
        reader.read_exact(&mut body)?;
        ensure!(body == page(size), "page {size} is damaged");
    }
    Ok(rounds)
}

/// The server's side: answers until the client hangs up.
pub(super) fn serve(stream: TcpStream) -> Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    while let Some(head) = head(&mut reader)? {
        let request = head.first().context("an empty request")?;
        let path = request.strip_prefix("GET /").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
        let size: usize = path.with_context(|| format!("odd request {request}"))?.parse()?;
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n")?;
        writer.write_all(&page(size))?;
    }
    Ok(())
}

/// The lines before the empty one; nothing when the other side has hung up.
fn head(reader: &mut BufReader<TcpStream>) -> Result<Option<Vec<String>>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => return Ok(Some(lines)),
            text => lines.push(text.to_owned()),
        }
    }
}

/// A page's content, different for each size.
fn page(size: usize) -> Vec<u8> {
    (size..).map(|number| number.to_le_bytes()[0]).take(size).collect()
}
