# Ends processes by mark and by session. $1: mark of the run, $2: id of one step, or empty for all.
run=$1 only=$2
stat_of() {
  { read -r x <"/proc/$1/stat"; } 2>/dev/null || return 1
  x=${x##*) }
}
stat_of $$
set -- $x
mine=$4
if [ -d "/var/lib/exed/$run" ]; then R=/var/lib/exed/$run
elif [ -d "$HOME/.local/state/exed/$run" ]; then R=$HOME/.local/state/exed/$run
else R=/var/tmp/exed-$(id -u)/$run
fi
# Whether a process with the environment of $1 is to be ended; m is the step it is marked with.
wanted() {
  # Only a whole variable counts: sudo puts the command line, with marks in it, into another one.
  e="
$(tr '\0' '\n' <"/proc/$1/environ")"
  m=
  case $e in *"
EXED_STEP="*)
    m=${e##*"
EXED_STEP="}
    m=${m%%"
"*} ;;
  esac
  if [ -n "$only" ]; then [ "$m" = "$only" ]; return; fi
  # What an ended step has left behind on purpose, a daemon it started, stays.
  [ -z "$m" ] || { [ ! -s "$R/$m/status" ] && [ ! -e "$R/d.$m" ]; }
}
sessions=" "
find_all() {
  found=
  for p in $(grep -lF "EXED_RUN=$run" /proc/[0-9]*/environ 2>/dev/null); do
    p=${p#/proc/}
    p=${p%/environ}
    [ "$p" != $$ ] && wanted "$p" 2>/dev/null && stat_of "$p" || continue
    set -- $x
    [ "$1" = Z ] && continue
    found="$found $p"
    # A session belongs to a step only if a marked step process is in it.
    [ -n "$m" ] && [ "$4" != "$mine" ] && case $sessions in *" $4 "*) ;; *) sessions="$sessions$4 " ;; esac
  done
  [ "$sessions" = " " ] && return
  for p in /proc/[0-9]*; do
    p=${p#/proc/}
    stat_of "$p" || continue
    set -- $x
    case $sessions in *" $4 "*) ;; *) continue ;; esac
    [ "$1" = Z ] && continue
    case "$found " in *" $p "*) continue ;; esac
    e=
    { e=$(tr '\0' '\n' <"/proc/$p/environ"); } 2>/dev/null
    case $e in *EXED_STEP=* | *EXED_RUN=*) continue ;; esac
    found="$found $p"
  done
}
seen=" "
note() {
  for p in $found; do
    case $seen in *" $p "*) continue ;; esac
    seen="$seen$p "
    c=
    { read -r c <"/proc/$p/comm"; } 2>/dev/null
    echo "S $p $c"
  done
}
send() {
  for p in $found; do
    kill "-$1" "$p" 2>/dev/null
    [ "$1" = TERM ] && kill -CONT "$p" 2>/dev/null
  done
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }
n=0
find_all
while [ -n "$found" ] && [ "$n" -lt 40 ]; do
  note
  case $n in
    0 | 5) send TERM ;;
    1 | 2 | 3 | 4 | 6 | 7 | 8 | 9) ;;
    *) send KILL ;;
  esac
  n=$((n + 1))
  nap
  find_all
done
for p in $found; do
  c=
  { read -r c <"/proc/$p/comm"; } 2>/dev/null
  echo "R $p $c"
done
echo "E"
