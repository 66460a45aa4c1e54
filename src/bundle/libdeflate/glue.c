/*
 * What imgspec's threads call: one compressor of one level in each instance, and memory of fixed size for one piece.
 */
#include <stddef.h>
#include "libdeflate.h"

#define DICTIONARY_BYTES (32 * 1024)
#define BLOCK_BYTES (512 * 1024)
/* libdeflate_deflate_compress_bound() of a block is 525 more than it, the empty block at its end 6. */
#define OUTPUT_BYTES (BLOCK_BYTES + 1024)
#define PAGE_BYTES 65536

#define EXPORT(name) __attribute__((export_name(#name)))

size_t libdeflate_deflate_compress_piece(struct libdeflate_compressor *c, const void *in, size_t in_nbytes,
					 size_t dict_nbytes, void *out, size_t out_nbytes_avail);

static struct libdeflate_compressor *compressor;
static unsigned char input_memory[DICTIONARY_BYTES + BLOCK_BYTES];
static unsigned char output_memory[OUTPUT_BYTES];

/* The compressor alone is ever allocated, once and for good: so memory is taken by the page and not given back. */
static void *allocate(size_t bytes)
{
	size_t page = __builtin_wasm_memory_grow(0, (bytes + PAGE_BYTES - 1) / PAGE_BYTES);

	return page == (size_t)-1 ? NULL : (void *)(page * PAGE_BYTES);
}

static void release(void *memory)
{
	(void)memory;
}

/* Level 1 to 9; false when there is no memory. */
EXPORT(start) int start(int level)
{
	const struct libdeflate_options options = {
		.sizeof_options = sizeof(options),
		.malloc_func = allocate,
		.free_func = release,
	};

	compressor = libdeflate_alloc_compressor_ex(level, &options);
	return compressor != NULL;
}

/* Where the dictionary goes, and right behind it the block. */
EXPORT(input) unsigned char *input(void)
{
	return input_memory;
}

/* Where the deflated block is found. */
EXPORT(output) unsigned char *output(void)
{
	return output_memory;
}

/* Gives how many bytes the deflated block has. */
EXPORT(deflate) size_t deflate(size_t dictionary_bytes, size_t block_bytes)
{
	return libdeflate_deflate_compress_piece(compressor, input_memory, dictionary_bytes + block_bytes,
						 dictionary_bytes, output_memory, OUTPUT_BYTES);
}
