# SPDX-License-Identifier: GPL-2.0-only
# For people.  The kernel's build system reads Kbuild, beside this file.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local

kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)
# What "uname -r" says; Debian 6.1's kernel.release is another name, which modules are not installed under.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
# Distributions sign their modules with a key that stays with them.
unsigned = $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)
includedir = $(PREFIX)/include/mpool
symversdir = $(PREFIX)/lib/mpool/$(release)

modules: headers-present
	+$(kbuild) modules

headers-present:
	@[ -e $(KDIR)/Makefile ] || { \
		echo "No kernel headers in $(KDIR)." >&2; \
		echo "Install them (Debian: apt-get install linux-headers-$$(uname -r)), or say where: make KDIR=..." >&2; \
		exit 1; }

install: modules
	+$(kbuild) INSTALL_MOD_DIR=updates $(unsigned) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(release)
	install -d $(DESTDIR)$(includedir)/linux $(DESTDIR)$(symversdir)
	install -m 644 include/linux/*.h $(DESTDIR)$(includedir)/linux/
	install -m 644 Module.symvers $(DESTDIR)$(symversdir)/

# The header is every kernel's: the last one to go takes it along.
uninstall:
	@[ -n "$(release)" ] || { \
		echo "Which kernel?  No headers in $(KDIR): make uninstall KDIR=..., or release=NAME." >&2; exit 1; }
	rm -f $(INSTALL_MOD_PATH)/lib/modules/$(release)/updates/mpool.ko*
	[ ! -d $(INSTALL_MOD_PATH)/lib/modules/$(release) ] || \
		depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(release)
	rm -rf $(DESTDIR)$(symversdir)
	@ls $(DESTDIR)$(PREFIX)/lib/mpool/*/Module.symvers >/dev/null 2>&1 || \
		{ set -x; rm -rf $(DESTDIR)$(includedir) $(DESTDIR)$(PREFIX)/lib/mpool; }

# "clean" needs no headers: what Kbuild leaves in the tree is known.
clean:
	rm -rf build
	find . -maxdepth 3 -name .git -prune -o -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '.*.d' -o -name '*.gcno' -o -name modules.order -o -name Module.symvers \) \
		-exec rm -f {} +

# The rest needs nothing but this tree: scripts/deps installs what is missing, kernels come into a cache.
check:
	@scripts/check $(GATE)

test:
	@SUITE='$(SUITE)' scripts/test $(KERNEL)

demo:
	@REGION='$(REGION)' scripts/demo $(KERNEL)

try:
	@scripts/try '$(MODULE)' $(KERNEL)

bench:
	@WORKLOAD='$(WORKLOAD)' TRACE='$(TRACE)' scripts/bench $(KERNEL)

help:
	@echo 'make              mpool.ko for the running kernel (KDIR=... for another one)'
	@echo 'make install      mpool.ko to /lib/modules/$(or $(release),RELEASE)/updates, and for drivers that use it'
	@echo '                  linux/mpool.h to $(includedir), Module.symvers to'
	@echo '                  $(PREFIX)/lib/mpool/RELEASE; a driver then has in its Kbuild:'
	@echo '                    ccflags-y += -I$(includedir)'
	@echo '                  and is built with KBUILD_EXTRA_SYMBOLS=$(PREFIX)/lib/mpool/RELEASE/Module.symvers'
	@echo 'make uninstall    the reverse, for one kernel; the header goes with the last of them'
	@echo 'make clean        removes what was built; kernels stay in the cache'
	@echo
	@echo 'make demo         shows mpool at work; with REGION=1 all of its memory is in a range reserved at boot'
	@echo 'make try          MODULE=/path/mydrv.ko: boots with mpool and your driver, shows the pools and the log;'
	@echo '                  ARGS="name=value ..." for its parameters, RUN="command ..." for what it shall do there;'
	@echo '                  without MODULE: how to build it'
	@echo 'make test         the tests; SUITE=glob for a part'
	@echo 'make bench        measures mpool beside the allocators of the kernel; WORKLOAD=glob for a part,'
	@echo '                  TRACE=file for a load of your own (scripts/record-trace)'
	@echo 'make check        builds without a warning on every kernel, style, layers, documents; GATE=name for one'
	@echo
	@echo 'KERNEL=           for demo, try, bench            for test'
	@echo '  6.1             Debian 12, in QEMU              -'
	@echo '  6.12            Debian 12, in QEMU              KUnit, sanitizers, User Mode Linux; also called uml-6.12'
	@echo '  6.12-rt         the same with PREEMPT_RT        -'
	@echo '  7.3             Debian source, built here, QEMU KUnit, two CPUs, User Mode Linux; also called uml-7.3'
	@echo '  7.3-debug       try only: with sanitizers       -'
	@echo '  uml             bench only: User Mode Linux 7.3 -'
	@echo '  7.3-64m         -                               the same 7.3 with little memory'
	@echo '  7.3-init        -                               the same 7.3 with init_on_free=1'
	@echo '  qemu-NAME       -                               6.1, 6.12, 6.12-rt or 7.3 as on the left, without KUnit'
	@echo '  qemu-7.3-debug  -                               KUnit and the rest with sanitizers, in QEMU'
	@echo '  qemu-6.12-nodes -                               qemu-6.12 with two NUMA nodes'
	@echo '  qemu-7.3-kcsan  -                               data races, in QEMU'
	@echo 'Without KERNEL: demo and try 6.12; bench all of its; test 7.3, 7.3-64m, 7.3-init, qemu-7.3-debug, 6.12.'
	@echo
	@echo 'These install the Debian packages that are missing, and keep kernels in'
	@echo '$${MPOOL_CACHE:-$${XDG_CACHE_HOME:-~/.cache}/mpool}; scripts/kernel --update NAME looks for a newer one.'

.PHONY: modules headers-present install uninstall clean check test demo try bench help
