if command -v sha256sum >/dev/null 2>&1; then exec sha256sum <"$1"; fi
if command -v openssl >/dev/null 2>&1; then exec openssl dgst -sha256 -r <"$1"; fi
echo "neither sha256sum nor openssl is there" >&2
exit 1
