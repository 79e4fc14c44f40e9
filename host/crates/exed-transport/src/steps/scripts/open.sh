# Leaves with 44 when nothing is at $1, and with a reason when it is no regular file that may be read.
if [ -e "$1" ] && [ ! -f "$1" ]; then echo "$1 is not a regular file" >&2; exit 1; fi
e=$(LC_ALL=C; export LC_ALL; (exec <"$1") 2>&1) || case $e in
  *": No such file"* | *": Not a directory"* | *": nonexistent"*) exit 44 ;;
  *) echo "$1 may not be read" >&2; exit 1 ;;
esac
