//! What is said to command lines that make no sense, and the exit codes.

use super::*;
use crate::cli::args::Command as Typed;

/// What is said to a line, and the exit code.
fn refusal(line: &str) -> (String, u8) {
    let words: Vec<_> = line.split(' ').map(|word| OsString::from(word.trim_matches('_'))).collect();
    match parse(&words) {
        Ok(args) => panic!("{line} is understood: {args:?}"),
        Err(Refusal::Wrong { message, code }) => (message, code),
        Err(help @ Refusal::Help(_)) => panic!("{line} shows {help}"),
    }
}

#[track_caller]
fn check(line: &str, problem: &str, code: u8) {
    let (message, actual) = refusal(line);
    let first = message.split("\n\n").next().unwrap_or_default();
    assert_eq!((first, actual), (problem, code), "{line}");
}

#[test]
fn a_refusal_ends_with_the_usage_and_where_help_is() {
    let (message, _) = refusal("netebpf network rm --quick front");
    assert_eq!(
        message,
        "unknown flag: --quick\n\nUsage:  netebpf network rm [OPTIONS] <NETWORK>...\n\n\
         Run 'netebpf network rm --help' for more information"
    );
    let (message, _) = refusal("netebpf --run-dir /tmp/x net rm");
    assert_eq!(
        message,
        "netebpf: 'netebpf network rm' requires at least 1 argument\n\n\
         Usage:  netebpf network rm [OPTIONS] <NETWORK>...\n\n\
         See 'netebpf network rm --help' for more information"
    );
}

#[test]
fn unknown_flags_are_refused_as_docker_refuses_them() {
    check("netebpf run --frob -- true", "unknown flag: --frob", 125);
    check("netebpf run --frob=1 -- true", "unknown flag: --frob", 125);
    check("netebpf run --netwrok x -- true", "unknown flag: --netwrok\nDid you mean --network?", 125);
    check("netebpf --frob", "unknown flag: --frob", 125);
    check("netebpf run -dzx -- true", "unknown shorthand flag: 'z' in -zx", 125);
    check("netebpf ps -z", "unknown shorthand flag: 'z' in -z", 125);
}

#[test]
fn values_are_refused_as_docker_refuses_them() {
    let reason = "IP address is not correctly formatted: x";
    check(
        "netebpf run --dns x -- true",
        &format!("invalid argument \"x\" for \"--dns\" flag: {reason}"),
        125,
    );
    check(
        "netebpf run -e =1 -- true",
        "invalid argument \"=1\" for \"-e, --env\" flag: invalid environment variable: =1",
        125,
    );
    check(
        "netebpf network connect --gw-priority x front web",
        "invalid argument \"x\" for \"--gw-priority\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
        125,
    );
    check(
        "netebpf network create --ipv6=maybe front",
        "invalid argument \"maybe\" for \"--ipv6\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        125,
    );
    check("netebpf run --rm=1 -- true", "invalid argument \"1\" for \"--rm\" flag: it takes none", 125);
    check("netebpf run --name", "flag needs an argument: --name", 125);
    check("netebpf run -dp", "flag needs an argument: 'p' in -p", 125);
    check("netebpf stop __", "invalid container name or ID: value is empty", 1);
}

#[test]
fn arguments_are_counted_as_docker_counts_them() {
    check("netebpf run -d", "netebpf: 'netebpf run' requires at least 1 argument", 1);
    check("netebpf exec web", "netebpf: 'netebpf exec' requires at least 2 arguments", 1);
    check("netebpf rename web", "netebpf: 'netebpf rename' requires 2 arguments", 1);
    check("netebpf network create a b", "netebpf: 'netebpf network create' requires 1 argument", 1);
    check("netebpf port web 80 81", "netebpf: 'netebpf port' requires at least 1 and at most 2 arguments", 1);
    check("netebpf ps web", "netebpf: 'netebpf ps' accepts no arguments", 1);
    check("netebpf frob", "netebpf: unknown command: netebpf frob", 1);
    check("netebpf network frob", "netebpf: unknown command: netebpf network frob", 1);
    check("netebpf strat web", "netebpf: unknown command: netebpf strat\nDid you mean start?", 1);
}

#[test]
fn flags_that_need_or_exclude_each_other() {
    check("netebpf attach --name web", "at least one of the flags in the group [netns pid] is required", 125);
    check("netebpf drops --port 80", "required flag(s) \"follow\" not set", 125);
    check("netebpf ps -q --json", "conflicting options: cannot specify both -q, --quiet and --json", 125);
}

#[test]
fn a_flag_takes_what_follows_and_the_last_one_counts() {
    let words = "netebpf run --name one --name -x --ip 10.0.0.1 --ip fd00::1 -- true".split(' ');
    let args = parse(&words.map(OsString::from).collect::<Vec<_>>()).expect("it is understood");
    let Typed::Run(args) = args.command else { panic!("another command") };
    assert_eq!(args.sandbox.name.as_deref(), Some("-x"));
    assert_eq!(args.sandbox.join.ip, "fd00::1".parse().ok());
}

#[test]
fn help_is_no_failure() {
    for line in ["netebpf", "netebpf network", "netebpf run --help", "netebpf --version"] {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        assert!(matches!(parse(&words), Err(Refusal::Help(_))), "{line}");
    }
}
