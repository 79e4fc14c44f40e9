#!/bin/sh
# Process 1 of a fleet. It runs in mount, pid and network namespaces of its own: when it ends, for whatever
# reason, the kernel ends every host, removes every mount and takes every veth back.
#
# usage: supervisor.sh WORK IMAGE NET COUNT INIT
#   WORK   folder for what the caller reads: NAME.pid, NAME.hostkey
#   IMAGE  the root file system that all hosts share, read-only
#   NET    the first three bytes of the fleet's subnet, for example 10.91.7
#   COUNT  how many hosts
#   INIT   sysvinit or systemd
# It prints its process id, reads the name of the interface that the caller has moved into its network
# namespace, starts the hosts and prints "up". Then it reads commands, "start N", until the end of its
# input. /proc is still the caller's, which is why /proc/self names processes as the caller knows them.
set -eu
work=$1 image=$2 net=$3 count=$4 init=$5
ram=$work/hosts
read -r self rest < /proc/self/stat

mount --make-rprivate /
mkdir -p "$ram"
mount -t tmpfs -o mode=0755 fleet "$ram"

name_of() { printf 'host%02d' "$1"; }

# The bridge with the caller's end of the uplink, and one port for each host.
network() {
    echo "link set lo up"
    echo "link add br0 type bridge"
    echo "link set br0 up"
    echo "link set $uplink master br0"
    echo "link set $uplink up"
}

# A fresh or kept upper layer for host $1, with its own host key and the caller's public key.
prepare() {
    name=$(name_of "$1")
    dir=$ram/$name
    mkdir -p "$dir/upper/etc/ssh" "$dir/upper/root/.ssh" "$dir/upper/home/deploy/.ssh" "$dir/work" "$dir/root"
    chmod 0700 "$dir/upper/root" "$dir/upper/root/.ssh"
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$dir/upper/etc/ssh/ssh_host_ed25519_key"
    cp "$work/id_ed25519.pub" "$dir/upper/root/.ssh/authorized_keys"
    cp "$work/id_ed25519.pub" "$dir/upper/home/deploy/.ssh/authorized_keys"
    chown -R 1000:1000 "$dir/upper/home/deploy"
    echo "$name" > "$dir/upper/etc/hostname"
    printf '127.0.0.1 localhost\n%s.%s %s.fleet.test %s\n' "$net" "$((10 + $1))" "$name" "$name" > "$dir/upper/etc/hosts"
    cp "$dir/upper/etc/ssh/ssh_host_ed25519_key.pub" "$work/$name.hostkey"
}

# Removes the control groups that systemd has left in the hierarchy of host $1, and with them the hierarchy,
# which the machine would otherwise keep. Removal is asynchronous in the kernel, hence the attempts.
forget_units() {
    units=$ram/units$1
    tries=50
    mkdir -p "$units"
    while [ "$tries" -gt 0 ] && grep -q "name=fleet-$self-$1:" /proc/self/cgroup; do
        mount -t cgroup -o "none,name=fleet-$self-$1" cgroup "$units"
        find "$units" -mindepth 1 -depth -type d -exec rmdir {} + || true
        umount "$units"
        sleep 0.05
        tries=$((tries - 1))
    done
}

# Boots host $1 until it halts; a reboot boots it again on the same upper layer. The kernel reports what
# reboot(2) asked for as the signal that ended process 1: HUP to restart, INT to halt.
boot() {
    name=$(name_of "$1")
    while :; do
        status=0
        unshare --mount --uts --ipc --net --pid --fork --kill-child=KILL \
            sh "$work/host.sh" "$work" "$image" "$net" "$1" "$init" "$self" </dev/null >>"$ram/$name/console" 2>&1 || status=$?
        rm -f "$work/$name.pid"
        [ "$init" = sysvinit ] || forget_units "$1"
        [ "$status" = 129 ] || break
    done
}

echo "$self"
read -r uplink
network | ip -batch -
n=1
while [ "$n" -le "$count" ]; do
    prepare "$n" &
    n=$((n + 1))
done
wait
n=1
while [ "$n" -le "$count" ]; do
    boot "$n" &
    n=$((n + 1))
done
echo up
while read -r verb n; do
    case $verb in
    start) boot "$n" & ;;
    esac
done

# Every process of this namespace but this one: the hosts with all that runs in them.
kill -KILL -1
wait
n=1
while [ "$init" = systemd ] && [ "$n" -le "$count" ]; do
    forget_units "$n"
    n=$((n + 1))
done
umount -l "$ram"
rm -rf --one-file-system "$work"
