# $1: database, $2: key.
if command -v getent >/dev/null 2>&1; then
  getent "$1" "$2"
  s=$?
  [ "$s" = 2 ] && exit 44
  exit "$s"
fi
[ -r "/etc/$1" ] || exit 44
while read -r l; do
  case $1 in
    passwd | group) case $l in "$2":*) printf '%s\n' "$l"; exit 0 ;; esac ;;
    *) case " ${l%%#*} " in *[[:space:]]"$2"[[:space:]]*) printf '%s\n' "${l%%#*}"; exit 0 ;; esac ;;
  esac
done <"/etc/$1"
exit 44
