#!/bin/sh
# The guest's first program: loads modules, starts a daemon for its status, runs the tests and powers off.
# A line with @@@ is for the reader on the other side of the serial console.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/root RUST_BACKTRACE=0 NETEBPF_BIN=/bin/netebpf NETEBPF_PROBE=/bin/netebpf-probe
# Emulation is twenty times slower than a processor, and the verifier is the slowest of all.
export NETEBPF_TEST_PATIENCE=12
# With two, one always waits for the stage that tests take turns on, and so keeps it; more would wait for processors.
THREADS=2
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tmpfs tmp /tmp
while read -r module; do
    insmod "/modules/$module.ko" || echo "@@@ module $module was refused"
done </modules/order
ip link set lo up
echo "@@@ up"

netebpf --log warn daemon >/tmp/daemon.log 2>&1 &
daemon=$!
until netebpf status --json >/tmp/status 2>/tmp/error; do
    kill -0 "$daemon" 2>/dev/null || break
    sleep 1
done
echo "@@@ status"
cat /tmp/status
echo "@@@ log"
cat /tmp/daemon.log
kill "$daemon"
wait "$daemon"
netebpf cleanup --yes >/dev/null || echo "@@@ cleanup failed"

[ -s /tmp/status ] && while read -r suite parts; do
    echo "@@@ tests $suite"
    # Each part is an argument.
    # shellcheck disable=SC2086
    "$suite" --test-threads="$THREADS" --color=never $parts </dev/null && echo "@@@ $suite holds"
done </tests
echo "@@@ end"
poweroff -f
