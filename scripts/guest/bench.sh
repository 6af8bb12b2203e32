# SPDX-License-Identifier: GPL-2.0-only
# The job of scripts/bench: /args has the parameters of mpool_bench.ko.
load() {
	insmod "$@" 2>/tmp/err || echo "=== failed: insmod $*: $(cat /tmp/err)"
}
load /mpool.ko
load /mpool_bench.ko $(cat /args)
rmmod mpool_bench
rmmod mpool
echo "=== done"
