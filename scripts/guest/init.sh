#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# The init of a booted machine: mounts, then /job.sh, then off.
set -f
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmp /tmp
. /job.sh
sleep 1
poweroff -f
