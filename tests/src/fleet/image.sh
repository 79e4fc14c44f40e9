#!/bin/sh
# Makes a freshly installed Debian ready to be the shared root of the fleet's hosts.
#
# usage: image.sh ROOT
set -eu
root=$1

# No consoles and no boot scripts: the devices, the network and the mounts are made before init starts.
cat > "$root/etc/inittab" <<INITTAB
id:2:initdefault:
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
INITTAB
rm -f "$root"/etc/rcS.d/S* "$root"/etc/rc2.d/S??bootlogs "$root"/etc/rc2.d/S??dbus "$root"/etc/rc2.d/S??nginx \
    "$root"/etc/rc2.d/S??rmnologin "$root"/etc/rc2.d/S??rc.local "$root"/etc/rc2.d/S??sudo
for level in 0 6; do
    rm -f "$root/etc/rc$level.d"/K??brightness "$root/etc/rc$level.d"/K??hwclock.sh "$root/etc/rc$level.d"/K??urandom \
        "$root/etc/rc$level.d"/K??sendsigs "$root/etc/rc$level.d"/K??umount*
done
sed -i 's/^worker_processes .*/worker_processes 1;/' "$root/etc/nginx/nginx.conf"

# systemd starts what the tests use and nothing that belongs to a machine with a console.
for unit in getty.target console-getty.service systemd-logind.service systemd-networkd.service \
    systemd-resolved.service systemd-timesyncd.service nginx.service e2scrub_reap.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/systemd/system/nginx.service" "$root"/etc/systemd/system/multi-user.target.wants/nginx.service

# Every host makes its own keys; root and the unprivileged user come in by key.
rm -f "$root"/etc/ssh/ssh_host_*
cat > "$root/etc/ssh/sshd_config.d/fleet.conf" <<SSHD
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
SSHD
chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/deploy"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
    "$root"/usr/share/locale/*
