#!/bin/busybox sh
# The first process of the virtual machine: runs the agent on a few handshakes and tells on the console, in lines that
# begin with "@@", what came of it. xtask/src/kernels/transcript.rs reads them.
/bin/busybox --install -s /bin
export PATH=/bin OPENSSL_CONF=/root/openssl.cnf
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
cd /root
for module in *.ko; do
    [ -f "$module" ] && insmod "$module"
done

say() { echo "@@ $*"; }
# Tries a command every 0.2 s until it succeeds, 60 s at most.
await() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || return 1
        sleep 0.2
    done
}
# Runs a command in the watched cgroup.
inside() { sh -c 'echo $$ > /sys/fs/cgroup/watched/cgroup.procs; exec "$@"' sh "$@"; }
client() {
    inside openssl s_client -connect 127.0.0.1:4433 -CAfile ca.pem "$@" </dev/null >/dev/null 2>&1
}
# 4433 in hexadecimal, in the state LISTEN.
listening() { grep -q ':1151 [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6; }
ready() { wget -q -O /dev/null http://127.0.0.1:9465/readyz; }
# The agent says so of each file that it has put probes into.
probed() { grep -q 'uprobe:openssl' log; }
all_told() { [ "$(grep -c '"tls-handshake"' events)" -ge 3 ]; }
# Starts the agent, and waits until it is attached.
start() {
    tls-observer run "$@" --format json >events 2>log &
    agent=$!
    await ready && say ready "$how"
}
filters() {
    # By its path: the shell prefers its own.
    for direction in ingress egress; do
        /bin/tc filter show dev lo $direction
    done | grep -c ' bpf .*handle'
}

say kernel "$(uname -r)"
say check "$(tls-observer check --format json)"
mkdir /sys/fs/cgroup/watched
inside openssl s_server -accept 4433 -cert server.pem -key server.key -CAfile ca.pem \
    -Verify 2 -verify_return_error -quiet >/dev/null 2>&1 &
await listening

observe() {
    how=$1
    shift
    start "$@"
    await probed
    client -tls1_2 -cert client.pem -key client.key
    client -tls1_2
    client -tls1_3
    await all_told
    kill -TERM $agent
    wait $agent
    say exit "$how" $?
    sed "s/^/@@ event $how /" events
    sed "s/^/@@ log $how /" log
}

observe cgroup --cgroup /sys/fs/cgroup/watched

how=killed
start --interface lo
kill -KILL $agent
wait $agent
say filters killed "$(filters)"
observe interface --interface lo
say filters interface "$(filters)"

say end
poweroff -f
