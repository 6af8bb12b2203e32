/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat: the only file that depends on kernel versions.
 *
 * It tests for a macro or a function where the preprocessor can see it, because
 * distributions backport features to older series.  Where only the version number tells,
 * a comment names the change.
 */
#ifndef _MPOOL_COMPAT_H
#define _MPOOL_COMPAT_H

#include <linux/kallsyms.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/mpool.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "mpool needs Linux 6.1 or newer"
#endif

/* The page map and the hash of strings need words of 64 bits. */
#if BITS_PER_LONG != 64
#error "mpool needs a 64-bit kernel"
#endif

/*
 * Kernels that mpool has been run on.  On any other kernel it prints a warning at load.
 */
#define MPOOL_TRIED_HERE						\
	((IS_ENABLED(CONFIG_X86_64) || IS_ENABLED(CONFIG_UML)) &&	\
	 PAGE_SIZE == SZ_4K && !IS_ENABLED(CONFIG_CC_IS_CLANG))

/* Until 6.3 MAX_ORDER was one more than the largest order. */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#endif

/* Are all addresses of the kernel negative, as signed numbers? */
#define MPOOL_KERNEL_IS_NEGATIVE					\
	((IS_ENABLED(CONFIG_X86_64) && !IS_ENABLED(CONFIG_UML)) ||	\
	 IS_ENABLED(CONFIG_ARM64))

/*
 * Internal functions are exported to the KUnit modules where the kernel has KUnit, and
 * not exported elsewhere.
 */
#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_IF_KUNIT(sym)	EXPORT_SYMBOL_GPL(sym)
#else
#define EXPORT_SYMBOL_IF_KUNIT(sym)
#endif

/*
 * The section of a module that an address is in.  Until 6.3 a module had two layouts,
 * each with text, rodata and data in this order; since then it has an array of memories
 * by type.
 */
static inline enum mpool_area mpool_module_area(const struct module *mod,
						unsigned long addr)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	for_each_mod_mem_type(type) {
		const struct module_memory *mem = &mod->mem[type];

		if (addr - (unsigned long)mem->base >= mem->size)
			continue;
		if (type == MOD_TEXT || type == MOD_INIT_TEXT)
			return MPOOL_AREA_TEXT;
		if (type == MOD_DATA || type == MOD_INIT_DATA)
			return MPOOL_AREA_DATA;
		return MPOOL_AREA_RODATA;
	}
	return MPOOL_AREA_NOTHING;
#else
	const struct module_layout *core = &mod->core_layout;
	unsigned long off = addr - (unsigned long)core->base;

	if (within_module_init(addr, mod))
		return MPOOL_AREA_TEXT;
	if (off >= core->size)
		return MPOOL_AREA_NOTHING;
	if (off < core->text_size)
		return MPOOL_AREA_TEXT;
	return off < core->ro_after_init_size ? MPOOL_AREA_RODATA :
						MPOOL_AREA_DATA;
#endif
}

/*
 * The page of an address in the linear map; NULL if the address is not in the linear map,
 * or if its memory is offline.
 */
static inline struct page *mpool_online_page(unsigned long addr)
{
	return virt_addr_valid((void *)addr) ?
		pfn_to_online_page(PHYS_PFN(__pa(addr))) : NULL;
}

/*
 * Is it a page of slab memory, or of a large kmalloc()?  The pages of a large kmalloc()
 * have a mark since 6.15; before, they look like any other page.
 */
static inline bool mpool_page_slab(struct page *page)
{
	struct page *head = compound_head(page);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	if (PageLargeKmalloc(head))
		return true;
#endif
	return PageSlab(head);
}

/* is_vmalloc_or_module_addr() is exported since 6.2 only. */
static inline bool mpool_vmalloc_addr(unsigned long addr)
{
#ifdef MODULES_VADDR
	if (addr >= MODULES_VADDR && addr < MODULES_END)
		return true;
#endif
	return is_vmalloc_addr((void *)addr);
}

/*
 * The section of the kernel image that an address is in.  The symbols that bound the
 * sections are not exported.  So x86 looks into the page tables, and on other
 * architectures an address with a symbol counts as text.
 */
static inline enum mpool_area mpool_kernel_area(unsigned long addr)
{
	char sym[KSYM_SYMBOL_LEN];

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
	unsigned int level;
	pte_t *pte;

	/*
	 * In the area of modules are also modules that were loaded before mpool, and code
	 * that the kernel generates.  An address that has no symbol is in none of them.
	 */
	if (addr >= MODULES_VADDR && addr < MODULES_END) {
		sprint_symbol_no_offset(sym, addr);
		if (!strncmp(sym, "0x", 2))
			return MPOOL_AREA_NOTHING;
	} else if (addr - __START_KERNEL_map >= KERNEL_IMAGE_SIZE) {
		return MPOOL_AREA_NOTHING;
	}
	pte = lookup_address(addr, &level);
	if (!pte || !(pte_flags(*pte) & _PAGE_PRESENT))
		return MPOOL_AREA_NOTHING;
	if (!(pte_flags(*pte) & _PAGE_NX))
		return MPOOL_AREA_TEXT;
	return pte_flags(*pte) & _PAGE_RW ? MPOOL_AREA_DATA :
					    MPOOL_AREA_RODATA;
#else
	sprint_symbol_no_offset(sym, addr);
	return strncmp(sym, "0x", 2) ? MPOOL_AREA_TEXT : MPOOL_AREA_NOTHING;
#endif
}

/*
 * Stores @new if the word is still @old.  The exchange is atomic on this CPU only, and
 * has no lock prefix on x86.  try_cmpxchg_local(), which saves a comparison, is not in
 * 6.1.  The copy of @old is not called __old here: the macros of the kernel declare a
 * variable of that name, which would hide it.
 */
#ifdef try_cmpxchg_local
#define mpool_try_cmpxchg_local(p, old, new)				\
({									\
	typeof(*(p)) mpool_was = (old);					\
									\
	try_cmpxchg_local(p, &mpool_was, new);				\
})
#else
#define mpool_try_cmpxchg_local(p, old, new)				\
({									\
	typeof(*(p)) mpool_was = (old);					\
									\
	cmpxchg_local(p, mpool_was, new) == mpool_was;				\
})
#endif

/*
 * The product of two words: returns the lower half, and stores the upper half in *@high.
 * For a variable of 128 bits gcc aligns the stack.  That would be a third of the
 * instructions of a string hash, which this function is for.
 */
static __always_inline u64 mpool_mul(u64 a, u64 b, u64 *high)
{
#if defined(CONFIG_X86_64)
	asm("mulq %2" : "+a" (a), "=d" (*high) : "rm" (b) : "cc");
	return a;
#elif defined(__SIZEOF_INT128__)
	*high = (__uint128_t)a * b >> 64; /* u128 is not in 6.1 */
	return a * b;
#else
	*high = mul_u64_u64_shr(a, b, 64);
	return a * b;
#endif
}

typedef unsigned long (*mpool_shrinker_fn)(struct shrinker *s,
					   struct shrink_control *sc);

/* Since 6.7 the kernel allocates shrinkers, and frees them by RCU. */
static inline struct shrinker *mpool_shrinker_add(const char *name,
						  mpool_shrinker_fn count,
						  mpool_shrinker_fn scan)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct shrinker *s = shrinker_alloc(0, "%s", name);
#else
	struct shrinker *s = kzalloc(sizeof(*s), GFP_KERNEL);
#endif

	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->seeks = DEFAULT_SEEKS;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(s);
#else
	if (register_shrinker(s, "%s", name)) {
		kfree(s);
		return NULL;
	}
#endif
	return s;
}

/* Unregisters and frees a shrinker.  NULL is ignored. */
static inline void mpool_shrinker_del(struct shrinker *s)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(s);
#else
	if (s)
		unregister_shrinker(s);
	kfree(s);
#endif
}

/*
 * Tells reclaim, if the caller is in it, that pages were freed.  Without that, reclaim
 * counts no progress for the shrinker, and an allocation that tries reclaim only once
 * fails.
 */
static inline void mpool_account_reclaimed(unsigned long pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	mm_account_reclaimed_pages(pages);
#else
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
#endif
}

#endif /* _MPOOL_COMPAT_H */
