# Runs in new network and mount namespaces, makes them fit for a node, and holds them until it is killed.
# Everything that a node would leave on the machine is under a mount or an interface of these namespaces and
# goes with them.
set -euo pipefail
directory="$1" address="$2"

mount --make-rshared /
for place in /run /var/lib /var/log; do
    mkdir -p "$directory/node$place"
    mount --bind "$directory/node$place" "$place"
done

ip link set lo up
# Some kernels have no dummy interface: a cable that is plugged into itself does as well.
ip link add zas0 type veth peer name zas1
ip address add "$address/24" dev zas0
ip link set zas1 up
ip link set zas0 up
ip route add default dev zas0

echo 1 >/proc/sys/net/ipv4/ip_forward
# Without it, Services do not work between pods on the bridge. Absent when bridges are compiled without.
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
    echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
fi

# Where the directory is itself on an overlay, as in a container, there can be none on top.
mkdir -p "$directory/try"/{lower,upper,work,merged}
if mount -t overlay overlay -o "lowerdir=$directory/try/lower,upperdir=$directory/try/upper,workdir=$directory/try/work" \
    "$directory/try/merged" 2>/dev/null; then
    umount "$directory/try/merged"
    echo overlayfs >"$directory/snapshotter"
else
    echo native >"$directory/snapshotter"
fi

touch "$directory/namespace-ready"
exec sleep infinity
