#!/bin/bash
# Gets the Docker Engine of another Debian release, and prints the folder of its `dockerd`.
#
#     PATH=$(tools/debian_engine.sh trixie):$PATH labkit up --engine private
#
# The release is a folder under build/engines/, from the mirror that apt uses here. Its dockerd
# runs in that folder, with this machine's devices, processes and /run, and with the folder of
# its settings, which keeps all of its data. Needs root and mmdebstrap.
set -eu
release=$1
place=$(realpath "$(dirname "$0")/..")/build/engines/$release

if ! [ -x "$place/bin/dockerd" ]; then
    mirror=$(apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" "Created-By: Packages" |
        sed -n "/^Debian /{s///p;q}")
    rm -rf "$place"
    mkdir -p "$place/bin"
    # a mirror may be a copy of an earlier day
    mmdebstrap --variant=minbase --include=docker.io,iptables,iproute2,ca-certificates \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        "$release" "$place/root" "$mirror" >&2
    cat >"$place/bin/dockerd" <<END
#!/bin/sh
# dockerd of Debian $release; its first argument is --config-file=FILE
exec unshare --mount --propagation slave -- sh -ec '
    root=\$0 settings=\$(dirname "\${1#--config-file=}")
    mount --bind "\$root" "\$root"
    for folder in /dev /proc /run /sys "\$settings"; do
        mkdir -p "\$root\$folder"
        mount --rbind "\$folder" "\$root\$folder"
    done
    cd "\$root"
    # with chroot alone, whoever enters a container (docker exec, a probe) gets to this machine
    pivot_root . mnt
    umount --lazy mnt
    exec chroot . dockerd "\$@"' "$place/root" "\$@"
END
    chmod +x "$place/bin/dockerd"
fi
echo "$place/bin"
