# What a node runs: a dockerd. The cgroups of its containers are the machine's: they lie under a name
# that is this node's whenever it is made, and go when it ends.
mount -o remount,rw /sys
mkdir -p /tmp /run "$INBOX"
# after a kill: another process may have the number of the containerd that ran before, and dockerd
# would take it for that one, and wait for it
rm -rf /var/run/docker /var/run/docker.pid
trap 'kill $dockerd' TERM
dockerd --cgroup-parent="/$CGROUP" --label "$LABEL=$NODE" &
dockerd=$!
wait $dockerd
wait $dockerd  # the first one ends when the signal comes, the second with dockerd
find /sys/fs/cgroup -depth -type d '(' -path "*/$CGROUP" -o -path "*/$CGROUP/*" ')' \
    -exec rmdir {} +
