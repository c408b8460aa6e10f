//! Commands in sandboxes, as they see themselves. Needs root.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use super::{Launch, Place, Stdio, View, start};
use crate::{
    kernel::{Error, Settings, namespaces, process, tests::on_a_host},
    model::{Process, SandboxId, Signal},
};

const SANDBOX: SandboxId = SandboxId::new([3; 32]);

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

async fn namespace(settings: &Settings) -> PathBuf {
    let path = settings.namespace(SANDBOX);
    namespaces::create(&path).await.expect("a namespace");
    path
}

/// Starts a command, waits for its success, and gives what it wrote.
async fn output(settings: &Settings, launch: &Launch) -> String {
    let log = settings.log(SANDBOX);
    let started = start(launch, Stdio::Log(&log)).unwrap_or_else(|error| panic!("{error:?}"));
    let code = process::exited(started).await.expect("it can be waited for");
    let words = fs::read_to_string(&log).expect("there is a log");
    fs::remove_file(&log).expect("the log can be removed");
    assert_eq!(code, 0, "{words}");
    words
}

fn view(settings: &Settings) -> View {
    let file = |name: &str| {
        let path = settings.sandbox_dir(SANDBOX).join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, format!("the {name} of a test\n")).expect("a file");
        path
    };
    View {
        hosts: file("hosts"),
        resolv_conf: file("resolv.conf"),
        hostname_file: file("hostname"),
        hostname: "web".to_owned(),
        domainname: "example.org".to_owned(),
    }
}

#[test]
fn a_command_sees_its_own_devices_and_the_hosts_cgroups() {
    on_a_host("devices", async |settings| {
        let namespace = namespace(&settings).await;
        let script = "ls /sys/class/net; test -e /sys/fs/cgroup/cgroup.procs -o -d /sys/fs/cgroup/memory";
        assert_eq!(output(&settings, &Launch::inside(&namespace, &shell(script))).await, "lo\n");
    });
}

#[test]
fn a_command_has_files_and_names_of_its_own_and_the_host_keeps_its() {
    on_a_host("view", async |settings| {
        let namespace = Some(namespace(&settings).await);
        let files = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"];
        let before = files.map(|path| fs::read(path).ok());
        let script =
            "cat /etc/hosts /etc/resolv.conf; uname -n; cat /proc/sys/kernel/domainname; echo $HOSTNAME";
        let expected = "the hosts of a test\nthe resolv.conf of a test\nweb\nexample.org\nweb\n";
        let view = Some(view(&settings));
        for namespace in [namespace, None] {
            let place = Place::New { namespace, view: view.clone() };
            let launch = Launch { place, ..Launch::inside(Path::new(""), &shell(script)) };
            assert_eq!(output(&settings, &launch).await, expected);
        }
        assert_eq!(files.map(|path| fs::read(path).ok()), before);
    });
}

#[test]
fn a_sandboxs_files_outlast_what_the_host_does_to_its_own() {
    on_a_host("replaced", async |settings| {
        // A host whose files may be replaced: this thread's.
        unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
        mount(Some("tmpfs"), "/etc", Some("tmpfs"), MsFlags::empty(), none).expect("an empty /etc");
        let text = |path| fs::read_to_string(path).expect("a file");
        fs::write("/etc/hosts", "host").expect("a file");
        symlink("elsewhere", "/etc/resolv.conf").expect("a symbolic link");
        fs::write("/etc/elsewhere", "host").expect("a file");

        let namespace = namespace(&settings).await;
        let view = view(&settings);
        let place = Place::New { namespace: Some(namespace.clone()), view: Some(view.clone()) };
        let sleeper = Launch { place, ..Launch::inside(&namespace, &["sleep", "1000"].map(str::to_owned)) };
        let sleeper = start(&sleeper, Stdio::Nothing).expect("it starts");
        for file in ["/etc/hosts", "/etc/elsewhere", "/etc/resolv.conf"] {
            fs::write("/etc/new", "replaced").expect("a file");
            fs::rename("/etc/new", file).expect("the host has its own files");
        }
        let script =
            "cat /etc/hosts /etc/resolv.conf /etc/hostname; echo more >> /etc/hosts; echo more > /etc/mine";
        let beside = Launch { place: Place::Beside(sleeper), ..Launch::inside(&namespace, &shell(script)) };
        let expected = "the hosts of a test\nthe resolv.conf of a test\nthe hostname of a test\n";
        assert_eq!(output(&settings, &beside).await, expected);
        assert_eq!((text("/etc/hosts"), text("/etc/resolv.conf")), ("replaced".into(), "replaced".into()));
        assert_eq!(fs::read_dir("/etc").expect("a directory").count(), 3);
        assert_eq!(fs::read_to_string(view.hosts).expect("a file"), "the hosts of a test\nmore\n");
        process::signal(sleeper, Signal::KILL).expect("it can be killed");
        process::exited(sleeper).await.expect("it can be waited for");
    });
}

#[test]
fn a_command_gets_its_variables_and_directory() {
    on_a_host("environment", async |settings| {
        let namespace = namespace(&settings).await;
        let launch = Launch {
            environment: ["A=1", "PATH=/nowhere:/bin:/usr/bin"].map(str::to_owned).to_vec(),
            directory: Some(PathBuf::from("/proc/sys")),
            ..Launch::inside(&namespace, &shell("echo $A; pwd; echo $PATH"))
        };
        assert_eq!(output(&settings, &launch).await, "1\n/proc/sys\n/nowhere:/bin:/usr/bin\n");

        let nowhere = Launch { directory: Some(PathBuf::from("/no/such")), ..launch.clone() };
        let error = start(&nowhere, Stdio::Nothing).expect_err("no such directory");
        assert_eq!(error.to_string(), "cannot change the working directory to /no/such");
        let unknown = Launch { environment: vec!["PATH=/proc/sys".to_owned()], ..launch };
        let error = start(&unknown, Stdio::Nothing).expect_err("no such program");
        let Error::Command { command, source } = error else { panic!("{error:?}") };
        assert_eq!((command.as_str(), source.kind()), ("sh", std::io::ErrorKind::NotFound));
    });
}

#[test]
fn a_command_inherits_neither_descriptors_nor_signals_nor_the_session() {
    on_a_host("inherited", async |settings| {
        let namespace = namespace(&settings).await;
        // The command must have made none itself: a program without a shell.
        let list = ["ls", "/proc/self/fd"].map(str::to_owned);
        assert_eq!(output(&settings, &Launch::inside(&namespace, &list)).await, "0\n1\n2\n3\n");
        let status = ["cat", "/proc/self/status"].map(str::to_owned);
        let status = output(&settings, &Launch::inside(&namespace, &status)).await;
        for set in ["SigBlk:\t", "SigIgn:\t"] {
            let set = status.lines().find_map(|line| line.strip_prefix(set)).expect("the kernel tells");
            let signals = u64::from_str_radix(set, 16).expect("hexadecimal digits");
            // The C library touches its own two signals, 32 and 33, for nobody.
            assert_eq!(signals & !(0b11 << 31), 0, "{status}");
        }
        let session = shell("set -- $(cat /proc/$$/stat); test $6 = $$");
        assert_eq!(output(&settings, &Launch::inside(&namespace, &session)).await, "");
    });
}

#[test]
fn a_second_command_joins_the_first_and_nobody_joins_another_with_its_number() {
    on_a_host("beside", async |settings| {
        let namespace = namespace(&settings).await;
        let place = Place::New { namespace: Some(namespace.clone()), view: Some(view(&settings)) };
        let sleeper = ["sleep", "1000"].map(str::to_owned);
        let first = Launch { place, ..Launch::inside(&namespace, &sleeper) };
        let first = start(&first, Stdio::Nothing).expect("it starts");
        let namespaces = |pid: &str| format!("cd /proc/{pid}/ns; readlink net uts mnt");
        let joined = |process| Launch {
            place: Place::Beside(process),
            ..Launch::inside(Path::new(""), &shell(&format!("pwd; cat /etc/hosts; {}", namespaces("self"))))
        };
        let outside = Launch {
            place: Place::New { namespace: None, view: None },
            ..Launch::inside(Path::new(""), &shell(&namespaces(&first.pid.to_string())))
        };
        let expected = format!("/\nthe hosts of a test\n{}", output(&settings, &outside).await);
        assert_eq!(output(&settings, &joined(first)).await, expected);

        let other = Process { start_time: first.start_time + 1, ..first };
        let error = start(&joined(other), Stdio::Nothing).expect_err("another process");
        assert!(matches!(error, Error::Ended { pid } if pid == first.pid), "{error:?}");
        process::signal(first, Signal::TERM).expect("it can be sent signals");
        assert_eq!(process::exited(first).await.expect("it can be waited for"), 128 + 15);
        let error = start(&joined(first), Stdio::Nothing).expect_err("it has ended");
        assert!(matches!(error, Error::Ended { .. }), "{error:?}");
    });
}

#[test]
fn a_real_time_signal_arrives() {
    on_a_host("real-time", async |settings| {
        let namespace = namespace(&settings).await;
        let sleeper = Launch::inside(&namespace, &["sleep", "1000"].map(str::to_owned));
        let sleeper = start(&sleeper, Stdio::Nothing).expect("it starts");
        process::signal(sleeper, "RTMIN+3".parse().expect("a signal")).expect("it can be sent signals");
        assert_eq!(process::exited(sleeper).await.expect("it can be waited for"), 128 + 37);
    });
}

#[test]
fn no_sandbox_keeps_the_namespace_of_another_alive() {
    on_a_host("no-hold", async |settings| {
        let first = namespace(&settings).await;
        let second = settings.namespace(SandboxId::new([4; 32]));
        namespaces::create(&second).await.expect("a namespace");
        let sleeper = Launch::inside(&second, &["sleep", "1000"].map(str::to_owned));
        let sleeper = start(&sleeper, Stdio::Nothing).expect("it starts");
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", sleeper.pid)).expect("it runs");
        for kept in [&first, &second] {
            assert!(!mounts.contains(&kept.display().to_string()), "{mounts}");
        }
        assert!(!mounts.contains(" nsfs "), "{mounts}");
        process::signal(sleeper, Signal::KILL).expect("it can be killed");
        process::exited(sleeper).await.expect("it can be waited for");
    });
}
