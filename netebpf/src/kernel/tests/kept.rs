//! What is kept of earlier readings must be what a kernel that was never read shows.

use futures::StreamExt as _;
use ipnet::IpNet;
use netebpf_common::abi::{Address, Hook, LocalAddress};
use tokio::time::{Duration, timeout};

use super::{BRIDGE, SANDBOX, VETH, apply, build, finish, observe, subnet, with_data_path};
use crate::{
    kernel::{LinuxKernel, Observed, links, watch},
    plan::{Action, Entry, Key},
};

/// What the kernel shows without the addresses that it gives links itself, some time after they are up.
fn lasting(mut observed: Observed) -> Observed {
    let stays = |address: &IpNet| !address.to_string().starts_with("fe80:");
    observed.links.values_mut().for_each(|link| link.addresses.retain(stays));
    let interfaces = observed.sandboxes.values_mut().flat_map(|inside| inside.interfaces.values_mut());
    interfaces.for_each(|interface| interface.addresses.retain(stays));
    observed
}

/// Compares what is kept with a reading of everything.
async fn check(kernel: &mut LinuxKernel, after: &Action) {
    let kept = lasting(observe(kernel).await);
    kernel.reading.give_up();
    assert_eq!(kept, lasting(observe(kernel).await), "after {after}");
}

#[test]
fn each_action_leaves_what_a_full_reading_would_show() {
    with_data_path("kept", async |settings| {
        let mut kernel = LinuxKernel::open(settings).expect("the kernel can be used");
        let mut events = watch::events(kernel.notices()).expect("links can be watched");
        tokio::spawn(async move { while events.next().await.is_some() {} });
        observe(&mut kernel).await;
        let (bridge, veth) = build(&mut kernel).await;
        let local = Address::from(subnet("10.7.0.1/24").addr());
        let mut actions = finish(bridge, veth);
        actions.extend([
            Action::AttachProgram { hook: Hook::FromBridge, ifindex: bridge },
            Action::AttachProgram { hook: Hook::FromContainer, ifindex: veth },
            Action::Put(Entry::Local(local, LocalAddress { ifindex: bridge })),
            Action::AttachToBridge { ifindex: veth, bridge },
            Action::DeleteAddress { ifindex: bridge, address: subnet("fd00:7::1/64") },
            Action::DetachProgram { hook: Hook::FromBridge, ifindex: bridge },
            Action::Delete(Key::Local(local)),
            Action::DeleteLink { ifindex: veth, name: VETH.to_owned() },
            Action::DetachProgram { hook: Hook::FromContainer, ifindex: veth },
            Action::DeleteLink { ifindex: bridge, name: BRIDGE.to_owned() },
            Action::DeleteNamespace { sandbox: SANDBOX },
        ]);
        for action in actions {
            apply(&mut kernel, std::slice::from_ref(&action)).await;
            check(&mut kernel, &action).await;
        }
    });
}

#[test]
fn what_others_change_is_read_once_the_kernel_has_told_of_it() {
    with_data_path("told", async |settings| {
        let mut kernel = LinuxKernel::open(settings).expect("the kernel can be used");
        let mut events = watch::events(kernel.notices()).expect("links can be watched");
        let (bridge, veth) = build(&mut kernel).await;
        apply(&mut kernel, &finish(bridge, veth)).await;
        observe(&mut kernel).await;
        let other = crate::kernel::netlink::connect().expect("a netlink socket");
        links::delete(&other, veth, VETH).await.expect("it can be deleted");
        while observe(&mut kernel).await.links.contains_key(&veth) {
            timeout(Duration::from_secs(5), events.next()).await.expect("the kernel tells");
        }
        let inside = &observe(&mut kernel).await.sandboxes[&SANDBOX];
        assert!(inside.interfaces.is_empty(), "the other side is gone, too: {inside:?}");
    });
}

#[test]
fn what_nobody_tells_of_is_found_by_looking_again() {
    with_data_path("silent", async |settings| {
        let mut kernel = LinuxKernel::open(settings.clone()).expect("the kernel can be used");
        let mut events = watch::events(kernel.notices()).expect("links can be watched");
        tokio::spawn(async move { while events.next().await.is_some() {} });
        let (bridge, veth) = build(&mut kernel).await;
        apply(&mut kernel, &finish(bridge, veth)).await;
        observe(&mut kernel).await;
        let inside = settings.namespace(SANDBOX);
        let (netlink, _) = crate::kernel::namespaces::connect(&inside).expect("a netlink socket");
        let index = links::list(&netlink).await.expect("links").last().expect("eth0").index;
        let down = rtnetlink::LinkUnspec::new_with_index(index).down().build();
        netlink.link().change(down).execute().await.expect("it can be set down");
        let is_up = |observed: &Observed| observed.sandboxes[&SANDBOX].interfaces["eth0"].up;
        crate::kernel::Kernel::distrust(&mut kernel);
        assert!(!is_up(&observe(&mut kernel).await));
    });
}
