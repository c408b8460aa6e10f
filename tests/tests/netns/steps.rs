//! Every step of the demo is a test.

use netebpf_tests::{for_each_step, scenario};

use crate::stage;

macro_rules! tests {
    (shared: [$($shared_module:ident::$shared:ident,)*], alone: [$($module:ident::$alone:ident,)*],) => {
        $(#[test]
        fn $shared() {
            stage::holds(scenario::$shared_module::$shared(&stage::shared()));
        })*

        $(#[test]
        fn $alone() {
            stage::holds(scenario::$module::$alone(&stage::alone("alone")));
        })*
    };
}

for_each_step!(tests);
