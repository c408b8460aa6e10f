#!/bin/sh
# Takes a package through its life on a Debian system below a directory: installed, used, removed, installed again, purged.
# Runs in network, mount and process namespaces of its own, so that nothing of this reaches the machine.
#
# usage: fresh.sh ROOT PACKAGE
set -eu

root=$1
package=$2

step() {
    echo "--- $*"
}

clean="/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive"

# shellcheck disable=SC2086
inside() {
    chroot "$root" $clean "$@"
}

# Waits for a command to succeed.
until_so() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ]; then
            echo "never so: $*"
            cat "$root/tmp/daemon.log"
            exit 1
        fi
        sleep 0.1
    done
}

# Files, without those that apt, dpkg and adduser keep for themselves, and the groups.
listing() {
    (
        cd "$root"
        find . -xdev \( -path ./tmp -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
            -o -path './etc/*-' \) -prune -o -print
        cat etc/group
        find sys/fs/bpf run -path run/adduser -prune -o -print
        ls proc/*/ns/net -d | while read -r process; do
            cat "${process%/ns/net}/comm" 2>/dev/null || true
        done | grep -cx sleep || true
    ) | sort
}

start_daemon() {
    # The very command of the unit.
    command=$(sed -n 's/^ExecStart=//p' "$root/lib/systemd/system/netebpf.service")
    # Not by the function, whose process number would be that of a shell.
    # shellcheck disable=SC2086
    chroot "$root" $clean $command >>"$root/tmp/daemon.log" 2>&1 &
    daemon=$!
    until_so inside netebpf status
}

stop_daemon() {
    kill -TERM "$daemon"
    wait "$daemon"
}

apt() {
    inside apt-get --yes -qq --option Dpkg::Use-Pty=0 "$@"
}

install_package() {
    apt install /tmp/netebpf.deb
    verified=$(inside dpkg --verify netebpf)
    test -z "$verified"
}

step "mount what a running system has"
# Sandboxes get a view of the mounts of their own, which takes a root that is one.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t bpf bpf "$root/sys/fs/bpf"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t devpts devpts "$root/dev/pts"
cp "$package" "$root/tmp/netebpf.deb"
listing >"$root/tmp/before"

step "install"
install_package
inside getent group netebpf
test -L "$root/etc/systemd/system/multi-user.target.wants/netebpf.service"

step "use"
start_daemon
test "$(stat -c '%U %a' "$root/run/netebpf/netebpf.sock")" = "root 660"
test "$(stat -c '%g' "$root/run/netebpf/netebpf.sock")" = "$(inside getent group netebpf | cut -d: -f3)"
inside netebpf network create --subnet 10.77.0.0/24 front
inside netebpf run -d --name one --network front --ip 10.77.0.7 -- sleep 3600
inside netebpf run --rm --name two --network front -- ping -c 1 -W 5 10.77.0.7
stop_daemon

step "remove: the program goes, networks and sandboxes stay"
apt remove netebpf
test ! -e "$root/usr/bin/netebpf"
test -e "$root/var/lib/netebpf/state.redb"
test "$(find "$root/run/netebpf/netns" -type f | wc -l)" = 1

step "install again: everything is found"
install_package
test ! -e "$root/var/lib/netebpf/purge"
start_daemon
inside netebpf run --rm --name three --network front -- ping -c 1 -W 5 10.77.0.7
stop_daemon

step "purge: nothing is left"
apt purge netebpf
listing >"$root/tmp/after"
diff "$root/tmp/before" "$root/tmp/after"
