//! Steps in which a sandbox is called by a name, with the words of the `ping` of today's machines.

use anyhow::{Context as _, Result, ensure};
use netebpf_tests::wait;

use crate::desk::Desk;

/// A ping by name, as a document has it.
pub(crate) struct Named {
    /// The chapter with the number of the step.
    pub(crate) step: &'static str,
    /// Who pings.
    pub(crate) from: &'static str,
    /// The name.
    pub(crate) name: &'static str,
    /// The addresses that it stands for, with today's Docker, each of them now and then; without, the name leads nowhere
    /// (`bad address`).
    pub(crate) leads_to: &'static [&'static str],
}

/// Types the pings of one step.
pub(crate) fn follow(desk: &Desk, document: &[Named], step: &str) -> Result<()> {
    let pings: Vec<_> = document.iter().filter(|named| named.step == step).collect();
    ensure!(!pings.is_empty(), "no step {step}");
    for ping in pings {
        ping.follow(desk).with_context(|| format!("{step}: {} calls {}", ping.from, ping.name))?;
    }
    Ok(())
}

impl Named {
    fn follow(&self, desk: &Desk) -> Result<()> {
        let Self { from, name, leads_to, .. } = self;
        // An answer is one of the resolver's only if no file has it.
        let hosts = desk.inside(from, "cat /etc/hosts")?;
        let is_known = hosts.split_whitespace().any(|word| word == *name);
        ensure!(!is_known, "it is known by its file:\n{hosts}");
        if leads_to.is_empty() {
            return self.leads_nowhere(desk);
        }
        let mut missing = leads_to.to_vec();
        let all = wait::until("each of its addresses was reached", wait::LONG, || match self.reached(desk) {
            Ok(reached) => {
                missing.retain(|address| *address != reached);
                missing.is_empty().then_some(Ok(()))
            }
            Err(error) => Some(Err(error)),
        });
        all.with_context(|| format!("never reached: {missing:?}"))?
    }

    /// The address that two echoes came back from.
    fn reached(&self, desk: &Desk) -> Result<String> {
        let said = desk.typed(&format!("exec {} ping -c 2 -i 0.2 -w 10 {}", self.from, self.name))?;
        let answered = said.code == Some(0) && said.stdout.contains(" 2 received, 0% packet loss");
        let head = said.stdout.strip_prefix(&format!("PING {} (", self.name));
        let reached = head.and_then(|head| head.split_once(')')).map_or("", |(address, _)| address);
        ensure!(answered && self.leads_to.contains(&reached), "expected {:?}, got {said:?}", self.leads_to);
        Ok(reached.to_owned())
    }

    fn leads_nowhere(&self, desk: &Desk) -> Result<()> {
        let said = desk.typed(&format!("exec {} ping -c 1 -w 10 {}", self.from, self.name))?;
        let words = format!("ping: {}: Name or service not known\n", self.name);
        ensure!(said.code == Some(2) && said.stderr == words, "expected {words}got {said:?}");
        Ok(())
    }
}
