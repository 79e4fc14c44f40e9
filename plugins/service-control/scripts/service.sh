# Brings the service $1 into the state $2 (started, stopped, restarted, reloaded) and watches it for a
# moment: many daemons report success and die right after. Looking, acting and verifying are one script,
# so that its recorded result tells the truth when a crashed job takes it up again. The result is printed
# behind a mark, so that the manager's own words stay apart.

PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
name=$1
wanted=$2

report() {
    printf '\n@@exed %s\n' "$1"
    exit 0
}

case $wanted in
    started) verb=start ;;
    stopped) verb=stop ;;
    restarted) verb=restart ;;
    reloaded) verb=reload ;;
    *) exit 64 ;;
esac

if [ -d /run/systemd/system ]; then
    manager=systemd
    load=$(LC_ALL=C systemctl show --property=LoadState -- "$name" 2>&1) || {
        printf '%s\n' "$load"
        report "manager=systemd load=unanswered"
    }
    load=${load#LoadState=}
elif [ -d /etc/init.d ]; then
    manager=sysvinit
    name=${name%.service}
    load=not-found
    [ -x "/etc/init.d/$name" ] && load=loaded
else
    report "manager=none"
fi
[ "$load" = loaded ] || report "manager=$manager load=$load"

running() {
    if [ "$manager" = systemd ]; then
        # Without --value, which older versions do not know.
        case $(LC_ALL=C systemctl show --property=ActiveState -- "$name" 2>/dev/null) in
            *=active | *=reloading | *=refreshing) state=yes ;;
            *=activating | *=deactivating) state=changing ;;
            *) state=no ;;
        esac
    else
        # The codes that the Linux Standard Base gives to `status`.
        "/etc/init.d/$name" status >/dev/null 2>&1 </dev/null
        case $? in
            0) state=yes ;;
            1 | 2 | 3) state=no ;;
            *) state=unknown ;;
        esac
    fi
}

pause() {
    sleep "$1" 2>/dev/null || sleep 1
}

running
before=$state
case $wanted-$before in
    started-yes | stopped-no | reloaded-no) report "manager=$manager load=loaded before=$before" ;;
esac

if [ "$manager" = systemd ]; then
    LC_ALL=C systemctl "$verb" -- "$name" 2>&1 </dev/null
    code=$?
else
    # An init script sees what it would see at boot, not the caller's environment.
    cd / || exit 70
    env -i LANG="${LANG-}" PATH="$PATH" TERM="${TERM-dumb}" "/etc/init.d/$name" "$verb" </dev/null 2>&1
    code=$?
fi

# Wait until it is as wanted, ten seconds at most, then see whether it stays so for another second.
target=yes
[ "$wanted" = stopped ] && target=no
running
if [ "$code" -eq 0 ]; then
    tries=0
    while [ "$state" != "$target" ] && [ "$state" != unknown ] && [ "$tries" -lt 20 ]; do
        pause 0.5
        tries=$((tries + 1))
        running
    done
    checks=0
    while [ "$state" = "$target" ] && [ "$target" = yes ] && [ "$checks" -lt 3 ]; do
        pause 0.3
        checks=$((checks + 1))
        running
    done
fi
report "manager=$manager load=loaded before=$before code=$code after=$state"
