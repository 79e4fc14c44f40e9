# Runs the steps of a batch. N: mark word, RUN: mark of the run, TOK: fencing token, DAY: today.
m() { printf '%s %s\n' "$N" "$*"; }
begin() { m s "$1" || exit 1; m s "$1" >&2; }
finish() { m e "$@"; m e "$1" >&2; }
refuse() { m f "$@"; m e "$1" >&2; }
nap() { sleep 0.2 2>/dev/null || sleep 1; }
S=setsid
command -v setsid >/dev/null 2>&1 || S=
R=
open_run() {
  u=
  { while read -r k x u x; do [ "$k" = Uid: ] && break; u=; done </proc/self/status; } 2>/dev/null
  [ -n "$u" ] || u=$(id -u)
  if [ "$u" = 0 ]; then B=/var/lib/exed
  elif [ -n "$HOME" ] && [ -d "$HOME" ] && [ -O "$HOME" ] && [ -w "$HOME" ]; then B=$HOME/.local/state/exed
  else B=/var/tmp/exed-$u
  fi
  R=$B/$RUN
  [ -d "$R" ] || (umask 077; exec mkdir -p "$R") || return 1
  { [ -d "$B" ] && [ ! -h "$B" ] && [ -O "$B" ] && [ -d "$R" ] && [ ! -h "$R" ] && [ -O "$R" ]; } || return 1
  [ -e "$B/day.$DAY" ] || prune
  [ -e "$R/t.$TOK" ] || : >"$R/t.$TOK"
}
prune() {
  (
    rm -f "$B"/day.*
    : >"$B/day.$DAY"
    exec find "$B" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf '{}' +
  ) </dev/null >/dev/null 2>&1 &
}
fenced() {
  for f in "$R"/t.*; do [ "${f##*t.}" -gt "$TOK" ] && return 0; done
  return 1
}
# Whether a step may begin. $1: index, $2: folder it wants to work in.
admit() {
  if [ -n "$R" ] && fenced; then refuse "$1" fenced; exit 0; fi
  [ -z "$2" ] && return 0
  [ -d "$2" ] && [ -x "$2" ] && return 0
  refuse "$1" failed "the working directory $2 is not there or may not be entered"
  return 1
}
# $1: index, $2: id, $3: 1 when the function i<index> writes its input, $4: folder.
plain() {
  admit "$1" "$4" || return 1
  begin "$1"
  g=0 f=/dev/null
  [ -n "$R" ] && f=$R/m.$$
  # Only the message of the shell tells a signal from a code above 128; it must not reach the output.
  (
    if [ "$3" = 1 ]; then "i$1" | (exec 2>&4 4>&-; "b$1"); else (exec 2>&4 4>&- </dev/null; "b$1"); fi
    exit $?
  ) 4>&2 2>"$f"
  s=$?
  [ "$s" -gt 128 ] && { [ -z "$R" ] || [ -s "$f" ] || [ "$s" = 130 ] || [ "$s" = 141 ]; } && g=1
  [ -z "$R" ] || : >"$R/d.$2"
  finish "$1" "$s" "$g" 0 0
  [ "$s" = 0 ]
}
follow() {
  tail -c +1 -f "$r/out" 2>/dev/null &
  t1=$!
  tail -c +1 -f "$r/err" >&2 2>/dev/null &
  t2=$!
}
unfollow() { [ -z "$t1" ] || { kill "$t1" "$t2"; wait "$t1" "$t2"; } 2>/dev/null; t1=; }
# $1: index, $2: 1 when it is the result of an earlier attempt. Uses r, s, g.
replay() {
  unfollow
  m r "$1"; m r "$1" >&2
  [ -s "$r/out" ] && cat "$r/out"
  [ -s "$r/err" ] && cat "$r/err" >&2
  a=0 b=0
  { read -r a <"$r/out.n"; read -r b <"$r/err.n"; } 2>/dev/null
  finish "$1" "$s" "$g" "$((a + b))" "$2"
  [ "$s" = 0 ]
}
ended() { s=; { read -r s g <"$r/status"; } 2>/dev/null; [ -n "$s" ]; }
# Whether the recorded process still runs; why tells what is known if it does not.
alive() {
  why="it was begun and has left no trace of its process"
  { read -r boot pid start <"$r/pid"; } 2>/dev/null || return 1
  x=
  { read -r x </proc/sys/kernel/random/boot_id; } 2>/dev/null
  why="the host was restarted while it ran"
  [ "$x" = "$boot" ] || return 1
  why="its process is gone and has left no status"
  { read -r x <"/proc/$pid/stat"; } 2>/dev/null || return 1
  set -- ${x##*) }
  [ "$1" != Z ] && [ "${20}" = "$start" ]
}
take_up() {
  [ "$2" = 1 ] && follow
  lost=0
  until ended; do
    if alive; then lost=0; else lost=$((lost + 1)); fi
    if [ "$lost" -gt 5 ]; then unfollow; refuse "$1" unknown "$why"; return 1; fi
    nap
  done
  n=0
  while [ ! -e "$r/done" ] && [ "$n" -lt 10 ]; do n=$((n + 1)); nap; done
  replay "$1" 1
}
# $1: index, $2: id, $3: 1 with input, $4: folder, $5: kept bytes, $6: 1 when it is followed.
once() {
  r=$R/$2 t1=
  [ -d "$r" ] || admit "$1" "$4" || return 1
  if [ -n "$R" ] && fenced; then refuse "$1" fenced; exit 0; fi
  # Written before the record is made: if nobody reads any more, this ends here, and the step has not begun.
  begin "$1"
  if ! mkdir "$r" 2>/dev/null; then
    if [ -d "$r" ]; then take_up "$1" "$6"; return; fi
    refuse "$1" failed "the record $r could not be made: is the disk full or read-only?"
    return 1
  fi
  if ! { : >"$r/out" && : >"$r/err" && "w$1" >"$r/run" && { [ "$3" = 0 ] || "i$1" >"$r/in"; }; }; then
    rm -rf "$r"
    refuse "$1" failed "the record $r could not be written: is the disk full?"
    return 1
  fi
  [ "$6" = 1 ] && follow
  i=/dev/null
  [ "$3" = 1 ] && i=$r/in
  EXED_STEP=$2 $S sh "$r/run" "$r" "$5" "$i" 9>&1 </dev/null >/dev/null 2>&1 &
  wait "$!" 2>/dev/null
  if ended; then replay "$1" 0; return; fi
  unfollow
  why="its process is gone and has left no status"
  refuse "$1" unknown "$why"
  return 1
}
