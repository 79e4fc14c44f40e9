# Prints size, use and mount point, in KiB, of the file systems that hold the given paths.
LC_ALL=C exec df -P -k -- "$@"
