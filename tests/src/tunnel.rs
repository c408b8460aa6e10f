//! How do two machines get a cable without Ethernet on it? By a tun device in each, and threads that carry packets over.

use std::{
    io::{Read, Write},
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result};
use tun::{Device, Reader, Writer};

use crate::netns::Namespace;

/// Longer than any packet of IP.
const LONGEST: usize = 1 << 16;

/// A cable between two machines; it is cut when the value is dropped.
#[derive(Debug)]
pub struct Tunnel<'a> {
    machines: [&'a Namespace; 2],
    name: String,
    carriers: Vec<JoinHandle<()>>,
}

impl<'a> Tunnel<'a> {
    /// Joins two machines by a device of this name in each of them, which is up and has no address.
    pub fn between(near: &'a Namespace, far: &'a Namespace, name: &str) -> Result<Self> {
        let (from_near, to_near) = end(near, name)?.split();
        let (from_far, to_far) = end(far, name)?.split();
        let carriers = vec![
            thread::spawn(move || carry(from_near, to_far)),
            thread::spawn(move || carry(from_far, to_near)),
        ];
        Ok(Self { machines: [near, far], name: name.to_owned(), carriers })
    }
}

impl Drop for Tunnel<'_> {
    fn drop(&mut self) {
        for machine in self.machines {
            if let Err(error) = machine.remove_link(&self.name) {
                eprintln!("remove {} from {}: {error:#}", self.name, machine.name());
            }
        }
        for carrier in self.carriers.drain(..) {
            if carrier.join().is_err() {
                eprintln!("a carrier of {} panicked", self.name);
            }
        }
    }
}

/// A tun device in a machine.
fn end(machine: &Namespace, name: &str) -> Result<Device> {
    machine.run(|| {
        let mut configuration = tun::Configuration::default();
        configuration.tun_name(name).up();
        tun::create(&configuration).with_context(|| format!("make {name} in {}", machine.name()))
    })
}

/// Carries packets one way until the device is gone.
fn carry(mut from: Reader, mut to: Writer) {
    let mut packet = vec![0; LONGEST];
    while let Ok(length) = from.read(&mut packet) {
        // A device that is not up yet, or no longer, loses packets as a cable does.
        let _lost = packet.get(..length).map(|bytes| to.write(bytes));
    }
}
