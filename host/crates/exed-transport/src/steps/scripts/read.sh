s=$(wc -c <"$1") || exit 1
[ "$s" -le "$2" ] || { echo "$1 is $s bytes long, more than the $2 that were allowed" >&2; exit 1; }
exec cat <"$1"
