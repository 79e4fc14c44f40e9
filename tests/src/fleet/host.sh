#!/bin/sh
# Process 1 of one host before its init: makes the root file system, the network and the devices, gives up
# the privileges with which a host could touch the machine below, and becomes init.
#
# usage: host.sh WORK IMAGE NET N INIT FLEET
#   FLEET  the process id of the supervisor, as the caller knows it
set -eu
work=$1 image=$2 net=$3 n=$4 init=$5 fleet=$6
name=$(printf 'host%02d' "$n")
dir=$work/hosts/$name
root=$dir/root

# /proc is the caller's until it is mounted anew: this is the process id as the caller knows it.
read -r pid rest < /proc/self/stat
echo "$pid" > "$work/$name.pid.new"

hostname "$name"
mount -t overlay overlay -o "lowerdir=$image,upperdir=$dir/upper,workdir=$dir/work" "$root"
mount -t proc proc "$root/proc" -o nosuid,nodev,noexec
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs sysfs "$root/sys" -o ro,nosuid,nodev,noexec
mount -t tmpfs dev "$root/dev" -o mode=0755,nosuid
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666,mode=0620,gid=5
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
touch "$root/dev/console"
mount -t tmpfs shm "$root/dev/shm" -o mode=1777,nosuid,nodev
mount -t tmpfs run "$root/run" -o mode=0755,nosuid,nodev
mkdir -p "$root/run/lock" "$root/run/sshd"
touch "$root/run/utmp"

# systemd keeps its units apart in a hierarchy of its own; the machine's controllers stay out of reach.
if [ "$init" = systemd ]; then
    mount -t tmpfs cgroup "$root/sys/fs/cgroup" -o mode=0755
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o "none,name=fleet-$fleet-$n" cgroup "$root/sys/fs/cgroup/systemd"
fi

# One end of the cable here, the other in the bridge of the fleet.
# The address of the card is that of the host, so that nobody has to learn a new one after a reboot.
ip link add eth0 address "$(printf '02:00:0a:00:00:%02x' "$((10 + n))")" type veth peer name "port$n" netns "/proc/$fleet/ns/net"
nsenter --net="/proc/$fleet/ns/net" ip link set "port$n" master br0 up
ip -batch - <<BATCH
link set lo up
addr add $net.$((10 + n))/24 dev eth0
link set eth0 up
route add default via $net.1
BATCH

cd "$root"
mkdir -p .old
pivot_root . .old
mv "/.old$work/$name.pid.new" "/.old$work/$name.pid"
umount -l /.old
rmdir /.old
cd /

# Clock, kernel modules, device nodes and raw hardware are out of reach for everything in the host, also
# for what its root starts; with sysvinit it cannot mount either, so that /proc/sys stays read-only.
drop=-sys_time,-wake_alarm,-sys_module,-mknod,-sys_rawio,-syslog,-mac_admin,-mac_override,-linux_immutable
case $init in
sysvinit) exec setpriv --bounding-set "$drop,-sys_admin" /sbin/init ;;
systemd) exec setpriv --bounding-set "$drop" env container=fleet /lib/systemd/systemd ;;
esac
