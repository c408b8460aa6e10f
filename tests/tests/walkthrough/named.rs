//! Steps in which a sandbox is called by a name: that the resolver answers is the matter of tests to come; here the
//! name's address is reached instead, and no file in the sandbox knows the name.

use anyhow::{Result, ensure};

use crate::desk::Desk;

/// A ping by name, as a document has it.
pub(crate) struct Named {
    /// The chapter with the number of the step.
    pub(crate) step: &'static str,
    /// Who pings.
    pub(crate) from: &'static str,
    /// The name.
    pub(crate) name: &'static str,
    /// The address that it stands for, with today's Docker; without, the name leads nowhere (`bad address`).
    pub(crate) leads_to: Option<&'static str>,
}

/// Follows the pings of one step by the addresses that the names stand for.
pub(crate) fn follow(desk: &Desk, document: &[Named], step: &str) -> Result<()> {
    let pings: Vec<_> = document.iter().filter(|named| named.step == step).collect();
    ensure!(!pings.is_empty(), "no step {step}");
    for Named { from, name, leads_to, .. } in pings {
        if let Some(address) = leads_to {
            desk.pings(from, address)?;
        }
        let hosts = desk.inside(from, "cat /etc/hosts")?;
        let is_known = hosts.split_whitespace().any(|word| word == *name);
        ensure!(!is_known, "{from} knows {name} by its file:\n{hosts}");
    }
    Ok(())
}
