//! Names of elsewhere: who is asked, and what becomes of their answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_server::proto::op::ResponseCode;
use nix::errno::Errno;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// Waits for a server only as long as loopback needs.
fn impatient() -> Limits {
    Limits { patience: Duration::from_millis(300), ..Limits::default() }
}

async fn ask(upstreams: &[Upstream]) -> Message {
    let resolver = resolver_for(upstreams, impatient(), |_| {});
    answer_after_all(&resolver, Transport::Udp, &query("Example.org.", RecordType::A)).await
}

fn refuses(code: u8) -> impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static {
    move |query| vec![reply(query, code)]
}

#[tokio::test]
async fn an_answer_comes_back_with_the_clients_number_and_spelling() {
    let lower = |query: &[u8]| {
        let mut reply = reply(query, 0);
        reply[12..24].make_ascii_lowercase();
        vec![reply]
    };
    let answer = ask(&[elsewhere(lower).await]).await;
    assert_eq!((answer.metadata.id, told(&answer)), (0x1234, vec!["192.0.2.7".to_owned()]));
    assert_eq!((answer.queries[0].name.to_string(), answer.answers[0].ttl), ("Example.org.".to_owned(), 7));
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_fails() {
    let good = elsewhere(refuses(0)).await;
    for bad in [
        elsewhere(refuses(2)).await,
        elsewhere(refuses(5)).await,
        elsewhere(|_| Vec::new()).await,
        nowhere().await,
    ] {
        assert_eq!(told(&ask(&[bad, good]).await), ["192.0.2.7"]);
        assert_eq!(ask(&[bad]).await.metadata.response_code, ResponseCode::ServFail);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_told_so_without_asking_further() {
    let next = elsewhere(|_| panic!("nobody else is asked")).await;
    let answer = ask(&[elsewhere(refuses(3)).await, next]).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn forged_answers_are_passed_over() {
    let forger = |query: &[u8]| {
        let other = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut forged = reply(query, 3);
            change(&mut forged);
            forged
        };
        vec![
            other(&|forged| forged[0] ^= 1),
            other(&|forged| forged[14] ^= 2),
            other(&|forged| forged[2] &= 0x7f),
            b"short".to_vec(),
            reply(query, 0),
        ]
    };
    assert_eq!(told(&ask(&[elsewhere(forger).await]).await), ["192.0.2.7"]);
}

#[tokio::test]
async fn every_query_has_a_number_and_a_port_of_its_own() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    let upstream = Upstream { address: socket.local_addr().expect("it is bound"), from: Origin::Host };
    tokio::spawn(async move {
        let mut query = vec![0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut query).await {
            sender.send((peer.port(), query[..2].to_vec())).expect("the test waits");
            socket.send_to(&reply(&query[..length], 0), peer).await.expect("loopback takes it");
        }
    });
    let resolver = resolver_for(&[upstream], impatient(), |_| {});
    let (mut ports, mut numbers) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for _ in 0..20 {
        answer_after_all(&resolver, Transport::Udp, &query("example.org.", RecordType::A)).await;
        let (port, number) = seen.recv().await.expect("the server was asked");
        ports.insert(port);
        numbers.insert(number);
    }
    assert!(ports.len() > 15 && numbers.len() > 15, "{ports:?} {numbers:?}");
}

#[tokio::test]
async fn a_query_by_tcp_is_asked_by_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let upstream = Upstream { address: listener.local_addr().expect("it is bound"), from: Origin::Host };
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody connects");
        let mut query = vec![0; usize::from(stream.read_u16().await.expect("a length"))];
        stream.read_exact(&mut query).await.expect("a query");
        let reply = reply(&query, 0);
        stream.write_u16(u16::try_from(reply.len()).expect("it is short")).await.expect("it is taken");
        stream.write_all(&reply).await.expect("it is taken");
    });
    let resolver = resolver_for(&[upstream], impatient(), |_| {});
    let answer = answer_after_all(&resolver, Transport::Tcp, &query("example.org.", RecordType::A)).await;
    assert_eq!(told(&answer), ["192.0.2.7"]);
}

#[tokio::test]
async fn sockets_are_made_where_the_server_is_to_be_asked_from() {
    let (asked, good) = (Arc::new(AtomicUsize::new(0)), elsewhere(refuses(0)).await);
    let spec = play::spec();
    let sandbox = spec.sandboxes.values().next().expect("there are many").id;
    let from_sandbox = Upstream { from: Origin::Sandbox(sandbox), ..good };
    let counted = Arc::clone(&asked);
    let dialer = Dialer::new(move |upstream, transport| {
        counted.fetch_add(1, Ordering::Relaxed);
        if upstream.from == Origin::Host {
            unbound(upstream, transport)
        } else {
            Err(io::Error::other("no way"))
        }
    });
    let resolver = Resolver::new(dialer, impatient());
    resolver.publish(Names::of(&spec), play::clients(&spec, &[from_sandbox, good]));
    let answer = answer_after_all(&resolver, Transport::Udp, &query("example.org.", RecordType::A)).await;
    assert_eq!((told(&answer), asked.load(Ordering::Relaxed)), (vec!["192.0.2.7".to_owned()], 2));
}

#[tokio::test]
async fn a_long_answer_to_a_short_query_is_handed_on_whole() {
    let long = |query: &[u8]| {
        let mut reply = reply(query, 0);
        reply.resize(9000, 7);
        vec![reply]
    };
    let resolver = resolver_for(&[elsewhere(long).await], impatient(), |_| {});
    let asked = bytes(&query("example.org.", RecordType::A));
    let Response::Later(forward) = resolver.respond(peer(1, 1), Transport::Udp, &asked) else {
        panic!("it is for other servers");
    };
    assert_eq!(forward.finish(&resolver).await.len(), 9000);
}

#[tokio::test]
async fn too_many_queries_of_a_sandbox_are_refused_and_others_are_not() {
    let silent = elsewhere(|_| Vec::new()).await;
    let limits = Limits {
        outstanding: 2,
        reserved: 1,
        shared: 1,
        patience: Duration::from_secs(1),
        ..Limits::default()
    };
    let resolver = Arc::new(resolver_for(&[silent], limits, |_| {}));
    let asked = bytes(&query("example.org.", RecordType::A));
    let (mut tasks, mut refused) = (tokio::task::JoinSet::new(), 0);
    for _ in 0..10 {
        match resolver.respond(peer(1, 1), Transport::Udp, &asked) {
            Response::Later(forward) => {
                let resolver = Arc::clone(&resolver);
                tasks.spawn(async move { read(&forward.finish(&resolver).await).metadata.response_code });
            }
            Response::Ready(answer) => {
                assert_eq!(read(&answer).metadata.response_code, ResponseCode::Refused);
                refused += 1;
            }
            Response::Silence => panic!("there is no answer"),
        }
    }
    assert_eq!(refused, 6, "two are asked about and two wait");
    let Response::Later(_) = resolver.respond(peer(1, 2), Transport::Udp, &asked) else {
        panic!("the other sandbox has done nothing");
    };
    let mut codes = tasks.join_all().await;
    codes.sort_unstable_by_key(|code| u16::from(*code));
    assert_eq!(codes.len(), 4);
    assert_eq!(codes[..2], [ResponseCode::ServFail; 2], "nobody answered them");
    let network = play::spec().networks.values().next().expect("there are two").id;
    let counts = resolver.counts()[&network];
    assert_eq!(counts.queries, 11);
    assert_eq!(counts.failed + counts.refused, 10);
}

#[tokio::test]
async fn a_cut_answer_is_handed_on_so_that_the_client_asks_by_tcp() {
    let cut = |query: &[u8]| {
        let mut reply = reply(query, 0);
        reply[2] |= 2;
        vec![reply]
    };
    let answer = ask(&[elsewhere(cut).await, nowhere().await]).await;
    assert_eq!((answer.metadata.truncation, told(&answer)), (true, vec!["192.0.2.7".to_owned()]));
}

#[tokio::test]
async fn the_client_hears_that_its_query_is_not_understood() {
    let bare = |query: &[u8]| {
        let mut reply = query[..12].to_vec();
        (reply[2], reply[3], reply[5]) = (0x81, 0x81, 0);
        vec![reply]
    };
    let next = elsewhere(|_| panic!("nobody else is asked")).await;
    let answer = ask(&[elsewhere(bare).await, next]).await;
    assert_eq!((answer.metadata.id, answer.metadata.response_code), (0x1234, ResponseCode::FormErr));
}

#[tokio::test]
async fn a_query_on_its_way_ends_as_it_began_when_the_directory_changes() {
    let resolver = resolver_for(&[elsewhere(refuses(0)).await], impatient(), |_| {});
    let asked = bytes(&query("example.org.", RecordType::A));
    let Response::Later(forward) = resolver.respond(peer(1, 1), Transport::Udp, &asked) else {
        panic!("it is for other servers");
    };
    resolver.publish(Names::default(), []);
    assert_eq!(told(&read(&forward.finish(&resolver).await)), ["192.0.2.7"]);
}

#[tokio::test]
async fn a_client_is_told_when_there_are_too_many_open_files() {
    let resolver = Resolver::new(Dialer::new(|_, _| Err(Errno::EMFILE.into())), impatient());
    let spec = play::spec();
    resolver.publish(Names::of(&spec), play::clients(&spec, &[nowhere().await]));
    for transport in [Transport::Udp, Transport::Tcp] {
        let answer = answer_after_all(&resolver, transport, &query("example.org.", RecordType::A)).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
    }
    let network = spec.networks.values().next().expect("there are two").id;
    assert_eq!(resolver.counts()[&network].failed, 2);
}
