# Waits until the test process closes this script's standard input, by dropping what it started or by its own
# end, however that comes. Then ends every process that belongs to the test directory and removes it.
directory="$1"
trap '' INT TERM HUP

read -r _

# Everything started for a test directory has its name in the environment.
marked() {
    grep -lzsxF -- "ZAS_TEST_DIRECTORY=$directory" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

# The processes in containers have an environment of their own: they are found as descendants.
with_descendants() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v roots="$*" '
        { pid = $1; sub(/^.*\) /, ""); children[$2] = children[$2] " " pid }
        function walk(pid, list, count, i) {
            if (pid in seen) return
            seen[pid] = 1
            print pid
            count = split(children[pid], list, " ")
            for (i = 1; i <= count; i++) walk(list[i])
        }
        END { count = split(roots, start, " "); for (i = 1; i <= count; i++) walk(start[i]) }'
}

# The control groups that containerd has made for these processes: HIERARCHY PATH, or PATH in version 2.
container_groups() {
    local process
    for process in "$@"; do cat "/proc/$process/cgroup" 2>/dev/null; done |
        awk -F : '$3 ~ "/k8s.io/" { sub(/^name=/, "", $2); print $2, $3 }' | sort -u
}

groups=
for _ in $(seq 100); do
    processes="$(marked)"
    [ -n "$processes" ] || break
    processes="$(with_descendants $processes)"
    groups+="$(container_groups $processes)"$'\n'
    kill -KILL $processes 2>/dev/null
    sleep 0.05
done

# A container that is killed together with its supervisor leaves its control groups.
while read -r hierarchy path; do
    [ -n "$path" ] || { path="$hierarchy" hierarchy=unified; }
    [ -n "$path" ] || continue
    for group in "/sys/fs/cgroup/$hierarchy$path" "/sys/fs/cgroup$path"; do
        # Busy until the kernel has buried the last process in it.
        for _ in $(seq 200); do
            [ -d "$group" ] || break
            rmdir "$group" 2>/dev/null || sleep 0.05
        done
        # The one above them goes with the last.
        rmdir "${group%/*}" 2>/dev/null
    done
done <<<"$groups"

for _ in $(seq 20); do
    rm -rf --one-file-system -- "$directory" && break
    sleep 0.1
done
