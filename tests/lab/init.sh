#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# The first process of the lab. It runs twice: first on the initramfs, to
# make the host's file system the root; then on that root, to run the job
# and to switch the machine off.

LAB=/run/lab
CLOCK=/sys/devices/system/clocksource/clocksource0

# PATH is for this script alone: the job gets its caller's environment.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin

die() {
    echo "lab: $*"
    poweroff -f
    sleep 1000
}

load() {
    # Debian's file names hold a dash where module names hold an underscore;
    # the image has underscores only. Parameters are words without blanks.
    name=$1
    shift
    insmod "/modules/$name.ko" "$@" || die "cannot load module $name $*"
    for param in "$@"; do
        # The kernel only mutters about a parameter that it does not know.
        [ -e "/sys/module/$name/parameters/${param%%=*}" ] ||
            die "module $name has no parameter ${param%%=*}"
    done
}

share() {
    tag=$1
    place=$2
    options=$3
    mkdir -p "$place"
    mount -t 9p -o "trans=virtio,version=9p2000.L,msize=131072,$options" \
        "$tag" "$place" || die "cannot mount $tag at $place"
}

mount_kernel_filesystems() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    mkdir -p /dev/pts /dev/shm
    mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount -t debugfs debugfs /sys/kernel/debug
    ln -s /proc/self/fd /dev/fd
    ln -s /proc/self/fd/0 /dev/stdin
    ln -s /proc/self/fd/1 /dev/stdout
    ln -s /proc/self/fd/2 /dev/stderr
}

load_kvm() {
    device=$(cat /job/kvm_device)
    load kvm $(cat /job/kvm.params)
    [ "$device" = absent ] && return
    load kvm_amd $(cat /job/kvm_amd.params)
    [ -c /dev/kvm ] || die 'there is no /dev/kvm'
    # Here every process is root's, whom permission bits don't stop. A node
    # on a file system mounted with nodev is refused to everybody: EACCES.
    if [ "$device" = denied ]; then
        mkdir /nodev
        mount -t tmpfs -o nodev tmpfs /nodev
        mknod -m 600 /nodev/kvm c 10 232
        mount --bind /nodev/kvm /dev/kvm || die 'cannot deny /dev/kvm'
    fi
}

join_link() {
    address=$(cat /job/address)
    [ -n "$address" ] || return
    for module in $(cat /modules/link); do
        load "$module"
    done
    ifconfig eth0 "$address" netmask 255.255.255.0 up ||
        die "cannot give eth0 the address $address"
    # KVM keeps the TSC's frequency that it is loaded with. The kernel's first
    # guess may be too far off for a guest of another lab that has its own
    # pinned; after a second it knows better, and only then takes 'tsc'.
    for attempt in $(seq 100); do
        grep -qx tsc "$CLOCK/current_clocksource" && return
        sleep 0.1
    done
    die 'the TSC is no clock'
}

first() {
    /bin/busybox --install -s /bin
    mount_kernel_filesystems
    for module in $(cat /modules/order); do
        load "$module"
    done
    share job /job cache=none
    join_link
    load_kvm
    ifconfig lo 127.0.0.1 up
    hostname "$(cat /job/hostname)"

    # The memory behind the root is what Nova takes for the disk.
    mkdir -p /host /memory /new
    share host /host ro,cache=loose
    mount -t tmpfs -o size=90% tmpfs /memory
    mkdir /memory/upper /memory/work
    mount -t overlay -o \
        lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work \
        overlay /new || die 'cannot mount the overlay'

    # /tmp is left as it is on the host: an environment may well be there.
    for place in dev proc sys; do
        mkdir -p "/new/$place"
        mount --move "/$place" "/new/$place" || die "cannot move /$place"
    done
    mkdir -p /new/run
    mount -t tmpfs -o mode=755 tmpfs /new/run
    mkdir -p "/new$LAB/job" /new/run/lock
    cp /bin/busybox /init "/new$LAB/"
    echo "127.0.1.1 $(hostname)" >> /new/etc/hosts
    share out "/new$(cat /job/outdir)" cache=mmap
    mount --move /job "/new$LAB/job"
    exec switch_root -c /dev/console /new \
        "$LAB/busybox" sh "$LAB/init" second
}

second() {
    # Not exec: somebody has to bury the orphans, and a shell that waits
    # does. libvirt's QEMU is such an orphan, and would seem alive.
    "$(cat $LAB/job/python)" -IS "$(cat $LAB/job/runner)" "$LAB/job" \
        < /dev/null
    busybox=$LAB/busybox
    $busybox kill -9 -1
    $busybox umount "$($busybox cat $LAB/job/outdir)"
    $busybox umount "$LAB/job"
    $busybox sync
    $busybox poweroff -f
}

if [ "$1" = second ]; then
    second
else
    first
fi
