//! The server over its sockets, on loopback.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use hickory_server::proto::op::ResponseCode;

use super::*;

fn send(stream: &mut TcpStream, message: &[u8]) {
    let length = u16::try_from(message.len()).expect("it is short").to_be_bytes();
    stream.write_all(&[&length, message].concat()).expect("the server reads");
}

fn take(stream: &mut TcpStream) -> io::Result<Message> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer)?;
    Ok(read(&answer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_are_answered_to_who_sent_them() {
    let (_server, address) = listening(resolver_for(&[], Limits::default(), |_| {}));
    let (one, other) = (client(address).await, client(address).await);
    for name in ["db.", "web.", "many.", "nobody."] {
        for socket in [&one, &other] {
            socket.send(&bytes(&query(name, RecordType::A))).await.expect("it is sent");
        }
        for socket in [&other, &one] {
            assert_eq!(read(&receive(socket).await).queries[0].name.to_string(), name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_and_silence_keep_nobody_from_being_answered() {
    let silent = elsewhere(|_| Vec::new()).await;
    let (server, address) = listening(resolver_for(&[silent], Limits::default(), |_| {}));
    let socket = client(address).await;
    for number in 0..50_u16 {
        let garbage = [number.to_be_bytes().as_slice(), &[0xff; 40]].concat();
        socket.send(&garbage).await.expect("it is sent");
        socket.send(&bytes(&query("example.org.", RecordType::A))).await.expect("it is sent");
    }
    socket.send(&bytes(&query("db.", RecordType::A))).await.expect("it is sent");
    let answer = loop {
        let answer = read(&receive(&socket).await);
        if answer.queries[0].name.to_string() == "db." {
            break answer;
        }
    };
    assert_eq!(told(&answer), ["10.1.0.2"]);
    let network = play::spec().networks.values().next().expect("there are two").id;
    let counts = server.resolver().counts()[&network];
    assert_eq!((counts.queries, counts.answered), (51, 1), "garbage with the answers' bit is no query");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_carries_several_queries_until_one_is_none() {
    let (_server, address) = listening(resolver_for(&[], Limits::default(), |_| {}));
    let talk = tokio::task::spawn_blocking(move || {
        let mut stream = stream(address, WEB);
        for _ in 0..2 {
            send(&mut stream, &bytes(&query("many.", RecordType::A)));
            send(&mut stream, &bytes(&query("db.", RecordType::AAAA)));
            assert_eq!(told(&take(&mut stream).expect("an answer")).len(), 60);
            assert_eq!(told(&take(&mut stream).expect("an answer")), ["fd01::2"]);
        }
        send(&mut stream, &[0; 5]);
        take(&mut stream).expect_err("the server hangs up");
    });
    talk.await.expect("the server talks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_has_few_connections_and_strangers_have_none() {
    let limits = Limits { connections: 3, ..Limits::default() };
    let (_server, address) = listening(resolver_for(&[], limits, |_| {}));
    let talk = tokio::task::spawn_blocking(move || {
        let asked = bytes(&query("web.", RecordType::A));
        let answered = |stream: &mut TcpStream| {
            send(stream, &asked);
            take(stream).is_ok_and(|answer| answer.metadata.response_code == ResponseCode::NoError)
        };
        let mut kept: Vec<_> = (0..3).map(|_| stream(address, WEB)).collect();
        assert!(kept.iter_mut().all(answered));
        let refused = |client| {
            let mut stream = stream(address, client);
            let mut nothing = [0; 1];
            !matches!(stream.read(&mut nothing), Ok(1))
        };
        assert!(refused(WEB) && refused((3, 1)));
        assert!(answered(&mut stream(address, DB)));
    });
    talk.await.expect("the server talks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forwarded_queries_by_datagram_are_answered_in_the_end() {
    let good = elsewhere(|query| vec![reply(query, 0)]).await;
    let (_server, address) = listening(resolver_for(&[good], Limits::default(), |_| {}));
    let socket = client(address).await;
    socket.send(&bytes(&query("example.org.", RecordType::A))).await.expect("it is sent");
    assert_eq!(told(&read(&receive(&socket).await)), ["192.0.2.7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stops_when_it_is_dropped() {
    let (server, address) = listening(resolver_for(&[], Limits::default(), |_| {}));
    let socket = client(address).await;
    socket.send(&bytes(&query("db.", RecordType::A))).await.expect("it is sent");
    receive(&socket).await;
    drop(server);
    socket.send(&bytes(&query("db.", RecordType::A))).await.expect("it is sent");
    let refused = timeout(SOON, socket.recv(&mut [0; 512])).await.expect("there is an end");
    assert_eq!(refused.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionRefused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_announces_more_than_a_query_is_hung_up_on() {
    let (_server, address) = listening(resolver_for(&[], Limits::default(), |_| {}));
    let talk = tokio::task::spawn_blocking(move || {
        let mut stream = stream(address, WEB);
        stream.write_all(&u16::MAX.to_be_bytes()).expect("the server reads");
        take(&mut stream).expect_err("the server hangs up");
    });
    talk.await.expect("the server talks");
}
