//! The life of sandboxes: started by whom, ended how, taken over by the next daemon.

use super::*;

#[tokio::test]
async fn a_command_that_does_not_exist_leaves_no_sandbox() {
    let mut bench = Bench::with_network().await;
    let (spec, kernel) = (bench.spec(), bench.kernel());
    let mut request = sandbox("ghost");
    request.config.command = vec!["missing".to_owned()];
    let refused = bench.run(request, Starter::Daemon).await.expect_err("there is no such command");
    assert_eq!(refused.exit_code(), Some(127));
    assert_eq!((bench.spec(), bench.kernel()), (spec, kernel));
}

#[tokio::test]
async fn an_ended_command_gives_its_place_back() {
    let mut bench = Bench::with_network().await;
    let before = bench.kernel();
    let id = bench.run(publishing("web", "8080:80"), Starter::Daemon).await.expect("a sandbox");
    let process = process(bench.state(id));

    bench.happen(Event::SandboxExited { sandbox: id, process, code: 3 }).await;

    assert_eq!(code(bench.state(id)), 3);
    assert_eq!(bench.kernel(), before);
    assert_eq!(bench.host().killed, [id], "what the command left running goes with it");
}

#[tokio::test]
async fn the_end_of_an_earlier_process_is_not_the_end_of_the_command() {
    let mut bench = Bench::with_network().await;
    let id = bench.run(sandbox("web"), Starter::Daemon).await.expect("a sandbox");
    let state = bench.state(id);
    let earlier = Process { pid: 100, start_time: 0 };
    bench.happen(Event::SandboxExited { sandbox: id, process: earlier, code: 3 }).await;
    assert_eq!(bench.state(id), state);
}

#[tokio::test]
async fn a_sandbox_to_be_removed_goes_with_its_command() {
    let mut bench = Bench::with_network().await;
    let before = bench.kernel();
    let mut request = sandbox("short");
    request.config.auto_remove = true;
    bench.host().running.extend([6, 7]);
    let id = bench.run(request, Starter::Client(6)).await.expect("a sandbox");
    bench.ask(|reply| Request::Started(id.to_string(), 7, reply)).await.expect("started");
    let running = bench.state(id);
    bench.ask(|reply| Request::Ended(id.to_string(), 0, reply)).await.expect("noted");
    assert_eq!(bench.state(id), running, "it was the end of an earlier one: this one runs");
    bench.host().running.remove(&7);
    bench.ask(|reply| Request::Ended(id.to_string(), 0, reply)).await.expect("ended");
    assert_eq!(bench.state(id), None);
    assert_eq!(bench.kernel(), before);
    assert_eq!(bench.host().without_files, [id]);
}

#[tokio::test]
async fn a_sandbox_to_be_removed_stays_while_it_is_retained() {
    let mut bench = Bench::with_network().await;
    let mut request = sandbox("short");
    request.config.auto_remove = true;
    let id = bench.run(request, Starter::Daemon).await.expect("a sandbox");
    bench.ask(|reply| Request::Retain(id, true, reply)).await.expect("noted");
    let first = process(bench.state(id));
    bench.happen(Event::SandboxExited { sandbox: id, process: first, code: 3 }).await;
    assert_eq!(code(bench.state(id)), 3);
    bench.ask(|reply| Request::Retain(id, false, reply)).await.expect("noted");
    let start = |reply| Request::StartSandbox("short".to_owned(), Starter::Daemon, reply);
    bench.ask(start).await.expect("it starts");
    let second = process(bench.state(id));
    bench.happen(Event::SandboxExited { sandbox: id, process: second, code: 0 }).await;
    assert_eq!(bench.state(id), None);
}

#[tokio::test]
async fn a_command_is_started_once() {
    let mut bench = Bench::with_network().await;
    let id = bench.run(sandbox("web"), Starter::Daemon).await.expect("a sandbox");
    let refused = bench.ask(|reply| Request::Started(id.to_string(), 100, reply)).await;
    assert!(matches!(refused, Err(Error::StartedAlready { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_command_that_ended_while_no_daemon_ran_is_seen_to_have_ended() {
    let mut bench = Bench::with_network().await;
    let ended = bench.run(sandbox("ended"), Starter::Daemon).await.expect("a sandbox");
    let lives = bench.run(sandbox("lives"), Starter::Daemon).await.expect("a sandbox");
    let pid = process(bench.state(ended)).pid;
    bench.host().running.remove(&pid);

    let bench = bench.restarted().await;

    assert_eq!(code(bench.state(ended)), 255);
    assert!(matches!(bench.state(lives), Some(SandboxState::Running { .. })));
}

#[tokio::test]
async fn nothing_has_run_on_after_a_reboot() {
    let mut bench = Bench::with_network().await;
    let id = bench.run(sandbox("web"), Starter::Daemon).await.expect("a sandbox");
    bench.host().boot = 2;
    let mut bench = bench.restarted().await;
    assert_eq!(code(bench.state(id)), 255);
    bench
        .ask(|reply| Request::StartSandbox("web".to_owned(), Starter::Daemon, reply))
        .await
        .expect("it starts");
    assert!(matches!(bench.state(id), Some(SandboxState::Running { .. })));
}

#[tokio::test]
async fn a_client_that_ends_before_it_starts_the_command_leaves_the_sandbox_created() {
    let mut bench = Bench::with_network().await;
    let before = bench.kernel();
    bench.host().running.insert(6);
    let id = bench.run(sandbox("web"), Starter::Client(6)).await.expect("a sandbox");
    let client = Process { pid: 6, start_time: 1 };
    assert_eq!(bench.state(id), Some(SandboxState::Starting(client)));
    bench.happen(Event::SandboxExited { sandbox: id, process: client, code: 255 }).await;
    assert_eq!(bench.state(id), Some(SandboxState::Created));
    assert_eq!(bench.kernel(), before);
}

#[tokio::test]
async fn an_adopted_namespace_is_let_go_and_nothing_in_it_is_killed() {
    let mut bench = Bench::with_network().await;
    let before = bench.kernel();
    let mut request = sandbox("pod");
    request.config.command.clear();
    let nowhere = SandboxRequest { mode: ModeRequest::Adopted("nowhere".to_owned()), ..request.clone() };
    assert!(bench.run(nowhere, Starter::Nobody(None)).await.is_err());
    let request = SandboxRequest { mode: ModeRequest::Adopted("/run/netns/pod".to_owned()), ..request };
    let id = bench.run(request, Starter::Nobody(None)).await.expect("a sandbox");
    assert!(matches!(bench.state(id), Some(SandboxState::Running { process: None, .. })));
    let mut bench = bench.restarted().await;
    bench.ask(|reply| Request::Signal("pod".to_owned(), Signal::TERM, reply)).await.expect("it stops");
    assert_eq!(code(bench.state(id)), 0);
    assert_eq!(bench.kernel(), before);
}
