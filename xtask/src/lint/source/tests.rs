//! Shows that the reader of sources is not misled by comments, literals and groups.

use super::*;

fn named(code: &str, root: &str) -> Vec<String> {
    paths(code, root).into_iter().map(|named| named.segments.join("::")).collect()
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = "a // b\nc /* d /* e */ f */ g \"h \\\" i\" j r#\"k \" l\"# m '\"' n '\\'' o 'x";
    let kept = code(text);
    assert_eq!(kept.split_whitespace().collect::<String>(), "acgjmno'x");
    assert_eq!(kept.len(), text.len());
    assert_eq!(kept.lines().count(), 2);
}

#[test]
fn a_literal_beyond_ascii_is_blanked_whole() {
    assert_eq!(code("x('ä', \"→\") y").split_whitespace().collect::<String>(), "x(,)y");
}

#[test]
fn groups_in_braces_are_taken_apart() {
    let code =
        "use crate::{a, b::{self, c as d, e::*}, f};\nfn g() { crate::h::i::<u8>(); my_crate::x::y() }";
    assert_eq!(named(code, "crate"), ["a", "b::self", "b::c", "b::e::*", "f", "h::i"]);
}

#[test]
fn test_modules_are_left_out_and_what_follows_is_not() {
    let text = "use crate::a;\n#[cfg(test)]\nmod tests { use crate::b; fn f() { {} } }\nuse crate::c;\n\
        #[cfg(test)]\nmod more;\nuse crate::d;";
    assert_eq!(named(&without_tests(text), "crate"), ["a", "c", "d"]);
}

#[test]
fn positions_become_lines() {
    let text = "one\ntwo\nthree";
    assert_eq!(line_of(text, 0), 1);
    assert_eq!(line_of(text, 4), 2);
    assert_eq!(line_of(text, 9), 3);
}
