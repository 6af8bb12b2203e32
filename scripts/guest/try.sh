# SPDX-License-Identifier: GPL-2.0-only
# The job of scripts/try: /module is the name of a module, /args has its parameters, /run commands to run with it.
dmesg -n 1
cd /root
module=$(cat /module) failed= seen=$(dmesg | wc -l)
step() {
	echo "# $*"
	"$@" 2>&1 && return
	failed="$failed${failed:+, }$*"
	return 1
}
echo
echo "=== show"
step insmod mpool.ko
if step insmod "$module" $(cat /args); then
	[ ! -s /run ] || step sh -ex /run
	step cat /sys/kernel/debug/mpool/pools
	step rmmod "${module%.ko}"
fi
step rmmod mpool
echo "# dmesg"
dmesg | tail -n +$((seen + 1)) | sed 's/^\[[^]]*\] //' | grep -v -E ': (loading out-of-tree|module verification)'
echo "=== hide"
[ -z "$failed" ] || echo "=== failed: $failed"
dmesg
echo "=== done"
