#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# The first process of the lab. It runs twice: first on the initramfs, to
# make the host's file system the root; then on that root, to run the jobs
# and to switch the machine off. Between jobs it is called to load KVM anew.

LAB=/run/lab
MODULES=/modules
CLOCK=/sys/devices/system/clocksource/clocksource0

# PATH is for this script alone: the job gets its caller's environment. First
# the programs are in the initramfs, then beside what is kept of it.
export PATH=/bin:/run/lab/bin

die() {
    echo "lab: $*" > /dev/console
    poweroff -f
    sleep 1000
}

load() {
    # Debian's file names hold a dash where module names hold an underscore;
    # the image has underscores only. Parameters are words without blanks.
    name=$1
    shift
    insmod "$MODULES/$name.ko" "$@" || die "cannot load module $name $*"
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

# load_kvm DEVICE PARAMS PARAMS: of kvm and of kvm_amd, which are unloaded first
load_kvm() {
    device=$1
    umount /dev/kvm 2> /dev/null
    for module in kvm_amd kvm; do
        [ ! -e "/sys/module/$module" ] || rmmod "$module" ||
            die "cannot unload module $module"
    done
    load kvm $2
    [ "$device" = absent ] && return
    load kvm_amd $3
    [ -c /dev/kvm ] || die 'there is no /dev/kvm'
    # Here every process is root's, whom permission bits don't stop. A node
    # on a file system mounted with nodev is refused to everybody: EACCES.
    if [ "$device" = denied ]; then
        mkdir -p $LAB/nodev
        mount -t tmpfs -o nodev tmpfs $LAB/nodev
        mknod -m 600 $LAB/nodev/kvm c 10 232
        mount --bind $LAB/nodev/kvm /dev/kvm || die 'cannot deny /dev/kvm'
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
    mkdir -p "/new$LAB/job" "/new$LAB/bin" /new/run/lock
    cp -r /bin/busybox /init /modules "/new$LAB/"
    echo "127.0.1.1 $(hostname)" >> /new/etc/hosts
    checkout=$(cat /job/checkout)
    if [ -n "$checkout" ]; then
        share checkout "/new$checkout" ro,cache=loose
    fi
    share out "/new$(cat /job/outdir)" cache=mmap
    mount --move /job "/new$LAB/job"
    exec switch_root -c /dev/console /new \
        "$LAB/busybox" sh "$LAB/init" second
}

second() {
    $LAB/busybox --install -s $LAB/bin
    # Not exec: somebody has to bury the orphans, and a shell that waits
    # does. libvirt's QEMU is such an orphan, and would seem alive.
    "$(cat $LAB/job/python)" -IS "$(cat $LAB/job/runner)" "$LAB/job" \
        < /dev/null
    kill -9 -1
    umount "$(cat $LAB/job/outdir)"
    umount "$LAB/job"
    sync
    poweroff -f
}

case $1 in
second)
    second
    ;;
kvm)
    shift
    MODULES=$LAB/modules
    load_kvm "$@"
    ;;
*)
    first
    ;;
esac
