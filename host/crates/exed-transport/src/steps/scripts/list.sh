# The names in folder $1, each followed by a NUL byte.
LC_ALL=C
[ -e "$1" ] || { [ -d "${1%/*}/" ] && [ ! -x "${1%/*}/" ] || exit 44; }
[ -d "$1" ] || { echo "$1 is not a directory" >&2; exit 1; }
[ -r "$1" ] && cd "$1" 2>/dev/null || { echo "$1 may not be read" >&2; exit 1; }
for f in * .[!.]* ..?*; do
  if [ -e "$f" ] || [ -h "$f" ]; then printf '%s\0' "$f"; fi
done
exit 0
