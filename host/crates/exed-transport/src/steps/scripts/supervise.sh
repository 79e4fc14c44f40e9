# Runs one recorded step, independent of the connection. $1: record, $2: kept bytes, $3: input.
r=$1 L=$2 in=$3
: >"$r/run"
{ read -r boot </proc/sys/kernel/random/boot_id; read -r x <"/proc/$$/stat"; } 2>/dev/null
set -- ${x##*) }
echo "$boot $$ ${20}" >"$r/pid"
# Copies at most $2 bytes into $1 as they come, and counts the rest.
cap() {
  left=$2
  while [ "$left" -gt 0 ]; do
    # Small blocks while little may be kept: one dd then takes many short writes.
    if [ "$left" -ge 262144 ]; then b=512; elif [ "$left" -ge 8192 ]; then b=64; else b=8; fi
    [ "$left" -lt "$b" ] && b=$left
    n=$((left / b))
    x=$(LC_ALL=C dd bs="$b" count="$n" 2>&1 >>"$1")
    # A warning about short reads may stand before it.
    x=${x%% records in*}
    x=${x##*[!0-9+]}
    case $x in [0-9]*+[0-9]*) ;; *) break ;; esac
    [ "$((${x%+*} + ${x#*+}))" -lt "$n" ] && return
    left=$(($2 - $(wc -c <"$1")))
  done
  wc -c >"$1.n"
}
{
  {
    ( (exec 2>&3 3>&- 9>&-; body); exit $? ) <"$in" 2>"$r/sig"
    s=$? g=0
    [ "$s" -gt 128 ] && { [ -s "$r/sig" ] || [ "$s" = 130 ] || [ "$s" = 141 ]; } && g=1
    echo "$s $g" >"$r/status"
    [ "$in" = /dev/null ] || : >"$in"
    printf '%s x %s\n' "$N" "$I" >&9
  } | cap "$r/out" "$L" 3>&- 9>&-
} 3>&1 >/dev/null | cap "$r/err" "$L" 9>&-
: >"$r/done"
exit 0
