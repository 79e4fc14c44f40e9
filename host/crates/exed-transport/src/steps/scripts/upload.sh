# $1: destination, $2: mode, $3: suffix of the temporary name, $4: length of the trailer.
# The content is followed by a trailer of fixed length: the suffix, a space, its SHA-256. An input without
# it was cut off, and nothing is put in place.
d=${1%/*}/ n=${1##*/}
t=$d.$n.$3
[ "${#n}" -gt 180 ] && t=$d.exed.$3
fail() { rm -f "$t"; echo "$*" >&2; exit 1; }
[ -d "$1" ] && { echo "$1 is a directory" >&2; exit 1; }
[ -d "$d" ] || { echo "the folder $d is not there" >&2; exit 1; }
umask 077
set -C
trap 'rm -f "$t"; exit 1' HUP INT TERM PIPE
cat >"$t" || fail "$1 could not be written"
size=$(wc -c <"$t")
end=$(tail -c "$4" "$t" 2>/dev/null | tr -d '\0')
case $end in "$3 "*) ;; *) rm -f "$t"; exit 3 ;; esac
size=$((size - $4))
dd if=/dev/null of="$t" bs=1 seek="$size" count=0 2>/dev/null || fail "$t could not be shortened"
h=
if command -v sha256sum >/dev/null 2>&1; then h=$(sha256sum <"$t")
elif command -v openssl >/dev/null 2>&1; then h=$(openssl dgst -sha256 -r <"$t")
fi
h=${h%% *}
[ -z "$h" ] || [ "$h" = "${end#* }" ] || fail "the content was damaged on its way: SHA-256 is $h, not ${end#* }"
chmod "$2" "$t" && mv -f "$t" "$1" || fail "$1 could not be put in place"
echo "ok"
