# Puts the standard input in place. $1: destination, $2: mode, $3: suffix of the temporary name.
put() {
  d=${1%/*}/ n=${1##*/}
  t=$d.$n.$3
  [ "${#n}" -gt 180 ] && t=$d.exed.$3
  if [ -d "$1" ]; then echo "$1 is a directory" >&2; return 1; fi
  if [ ! -d "$d" ]; then echo "the folder $d is not there" >&2; return 1; fi
  umask 077
  set -C
  cat >"$t" && chmod "$2" "$t" && mv -f "$t" "$1" && return 0
  rm -f "$t"
  return 1
}
