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

for _ in $(seq 100); do
    processes="$(marked)"
    [ -n "$processes" ] || break
    kill -KILL $(with_descendants $processes) 2>/dev/null
    sleep 0.05
done

# Control groups of pods are kept by name, not by a process.
if [ -s "$directory/control-groups" ]; then
    name="$(cat "$directory/control-groups")"
    find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} + 2>/dev/null
fi

for _ in $(seq 20); do
    rm -rf --one-file-system -- "$directory" && break
    sleep 0.1
done
