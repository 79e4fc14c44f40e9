# $1: path, $2: L to follow links. One field per line; 44 means that nothing is there.
o=$(LC_ALL=C stat ${2:+-L} -c '%f
%s
%a
%u
%g
%U
%G
%Y
%i
%h' -- "$1" 2>&1) || case $o in
  *": No such file or directory" | *": Not a directory" | *": No such file or directory
"*) exit 44 ;;
  *) printf '%s\n' "$o" >&2; exit 1 ;;
esac
printf '%s\n' "$o"
if [ -z "$2" ] && [ -h "$1" ]; then readlink -- "$1"; fi
