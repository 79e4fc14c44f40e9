set -f
IFS=:
for d in $PATH:/usr/local/sbin:/usr/sbin:/sbin; do
  case $d in /*) ;; *) continue ;; esac
  if [ -f "$d/$1" ] && [ -x "$d/$1" ]; then printf '%s\n' "$d/$1"; exit 0; fi
done
exit 44
