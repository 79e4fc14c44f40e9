# $1: file, $2: word before the checksum, which is written to standard error after the content.
[ -e "$1" ] || { echo "$1 is not there, or may not be seen" >&2; exit 1; }
[ -f "$1" ] || { echo "$1 is not a regular file" >&2; exit 1; }
cat <"$1" || exit 1
h=
if command -v sha256sum >/dev/null 2>&1; then h=$(sha256sum <"$1")
elif command -v openssl >/dev/null 2>&1; then h=$(openssl dgst -sha256 -r <"$1")
fi
printf '%s %s\n' "$2" "${h%% *}" >&2
