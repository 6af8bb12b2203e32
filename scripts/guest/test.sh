# SPDX-License-Identifier: GPL-2.0-only
# The job of scripts/test: /stock.sh and /kunit.sh, as far as they are there.  Marks go through the kernel's log, so that
# they stay in order with the kernel's own lines.
set +f
say() { echo "=== $*" >/dev/kmsg; }
load() {
	insmod "$@" >/tmp/out 2>&1 || say "failed: insmod $*: $(cat /tmp/out)"
}
unload() {
	rmmod "$1" >/tmp/out 2>&1 || say "failed: rmmod $1: $(cat /tmp/out)"
}
debug=/sys/kernel/debug
# A task's fail_nth is all that shall make an allocation fail, and it shall reach GFP_KERNEL ones, silently.
for knobs in $debug/failslab $debug/fail_page_alloc; do
	[ -d $knobs ] || continue
	echo 0 >$knobs/verbose
	echo N >$knobs/ignore-gfp-wait
	[ ! -e $knobs/ignore-gfp-highmem ] || echo N >$knobs/ignore-gfp-highmem
	[ ! -e $knobs/min-order ] || echo 0 >$knobs/min-order
done
# An emulated CPU takes longer for an NMI than the kernel believes one may.
[ ! -e $debug/x86/nmi_longest_ns ] || echo 1000000000 >$debug/x86/nmi_longest_ns
# Where the host is busy as well, a case may take minutes, and its thread is waited for.
[ ! -e /proc/sys/kernel/hung_task_timeout_secs ] || echo 600 >/proc/sys/kernel/hung_task_timeout_secs
leaks() {
	[ -e $debug/kmemleak ] || return 0
	echo scan >$debug/kmemleak
	sleep 5		# kmemleak does not believe in a leak younger than that
	echo scan >$debug/kmemleak
	grep -v '^ *\(00\|hex dump\)' $debug/kmemleak | while IFS= read -r line; do echo "$line" >/dev/kmsg; done
	echo clear >$debug/kmemleak
}
. /vars
[ ! -e /stock.sh ] || . /stock.sh
[ ! -e /kunit.sh ] || . /kunit.sh
say done
