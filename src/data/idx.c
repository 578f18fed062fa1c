/* Reading IDX files (idx.h). The header is believed only as far as the file's length allows, before anything is
 * allocated; and no more is ever unpacked than the header promises, and one byte to see that nothing follows. */
#include "data/idx.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

enum { TYPE_U8 = 0x08, MAGIC = 4, DIMENSION = 4, CHUNK = 1 << 30 };
/* Deflate makes at most 258 bytes of 2 bits; its smallest header and gzip's are left out, in the file's favour. */
static const uint64_t GZIP_RATIO = 1032;

static void close_stream(void *object) { gzclose_r(object); }

void vg_idx_close(vg_idx *idx) {
    vg_mem_disown(idx->mem, idx->handle, true);
}

/* Closes, for `return give_up(...)`. */
static bool give_up(vg_idx *idx) {
    vg_idx_close(idx);
    return false;
}

/* "'path' ..."; returns false. */
__attribute__((format(printf, 3, 4)))
static bool complain(const vg_idx *idx, vg_data_error *error, const char *format, ...) {
    char text[sizeof error->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return vg_data_fail(error, "'%s' %s", idx->path, text);
}

/* Reads up to `wanted` bytes; false after an error of the file or of its packing. */
static bool read_some(vg_idx *idx, uint64_t at, uint8_t *out, uint64_t wanted, uint64_t *got, vg_data_error *error) {
    for (*got = 0; *got < wanted;) {
        unsigned part = wanted - *got < CHUNK ? (unsigned)(wanted - *got) : CHUNK;
        int done = gzread(idx->stream, out + *got, part);
        if (done == 0) {
            break;
        }
        *got += done > 0 ? (unsigned)done : 0;
        if (done < 0) {
            break;
        }
    }
    int failed = Z_OK;
    gzerror(idx->stream, &failed);
    switch (failed) {
    case Z_OK:
    case Z_STREAM_END:
        return true;
    case Z_MEM_ERROR:
        vg_mem_fail(idx->mem);
    case Z_ERRNO:
        return complain(idx, error, "cannot be read at byte %" PRIu64 ": %s", at + *got, strerror(errno));
    case Z_BUF_ERROR:
        return complain(idx, error, "ends within its gzip data, after %" PRIu64 " bytes unpacked: is it complete?",
                        at + *got);
    default:
        return complain(idx, error, "is damaged: its gzip data cannot be unpacked after byte %" PRIu64, at + *got);
    }
}

/* Opens a regular file; *length is its length on the disk. */
static bool open_stream(vg_idx *idx, uint64_t *length, vg_data_error *error) {
    struct stat status;
    int descriptor = open(idx->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* a pipe is refused, not waited for */
    if (descriptor < 0) {
        return complain(idx, error, "cannot be opened: %s", strerror(errno));
    }
    if (fstat(descriptor, &status) || !S_ISREG(status.st_mode)) {
        close(descriptor);
        return complain(idx, error, "is not a file%s", S_ISDIR(status.st_mode) ? " but a folder" : "");
    }
    idx->stream = gzdopen(descriptor, "rb");
    if (!idx->stream) {
        close(descriptor);
        vg_mem_fail(idx->mem);
    }
    idx->handle = vg_mem_own(idx->mem, close_stream, idx->stream);
    idx->gzipped = !gzdirect(idx->stream);
    *length = (uint64_t)status.st_size;
    return true;
}

/* The first four bytes: 00 00 type rank. */
static bool read_magic(vg_idx *idx, uint32_t least, uint32_t most, vg_data_error *error) {
    uint8_t magic[MAGIC] = { 0 };
    uint64_t got;
    if (!read_some(idx, 0, magic, MAGIC, &got, error)) {
        return false;
    }
    if (got < MAGIC) {
        return got ? complain(idx, error, "ends at byte %" PRIu64 ", within the magic number of an IDX file", got)
                   : complain(idx, error, "is empty: an IDX file was expected");
    }
    if (magic[0] || magic[1]) {
        return complain(idx, error, "is not an IDX file: it begins with %02x %02x %02x, 00 00 08 was expected",
                        magic[0], magic[1], magic[2]);
    }
    if (magic[2] != TYPE_U8) {
        return complain(idx, error, "holds elements of type %02x (byte 2): only bytes (08) can be read", magic[2]);
    }
    if (magic[3] < least || magic[3] > most) {
        return complain(idx, error, "has %u dimensions (byte 3): %s%u expected", magic[3],
                        least == most ? "" : magic[3] < least ? "at least " : "at most ",
                        magic[3] < least ? least : most);
    }
    idx->rank = magic[3];
    idx->header = MAGIC + (uint64_t)idx->rank * DIMENSION;
    return true;
}

/* The dimensions, and how many bytes they promise. */
static bool read_shape(vg_idx *idx, vg_data_error *error) {
    uint8_t bytes[VG_IDX_RANK * DIMENSION];
    uint64_t got;
    if (!read_some(idx, MAGIC, bytes, idx->header - MAGIC, &got, error)) {
        return false;
    }
    if (got < idx->header - MAGIC) {
        return complain(idx, error, "ends at byte %" PRIu64 ", within its dimensions", MAGIC + got);
    }
    idx->size = 1;
    for (uint32_t k = 0; k < idx->rank; k++) {
        const uint8_t *p = bytes + k * DIMENSION;
        idx->shape[k] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        if (!idx->shape[k]) {
            return complain(idx, error, "says that dimension %u is 0 (byte %u): there is nothing in it", k,
                            MAGIC + k * DIMENSION);
        }
        if (idx->shape[k] > INT32_MAX || __builtin_mul_overflow(idx->size, idx->shape[k], &idx->size)) {
            return complain(idx, error, "says that dimension %u is %u (byte %u): that is too large", k,
                            idx->shape[k], MAGIC + k * DIMENSION);
        }
    }
    return true;
}

/* Whether a file of `length` bytes can hold what the header promises. */
static bool check_length(const vg_idx *idx, uint64_t length, vg_data_error *error) {
    if (idx->gzipped) {
        return idx->size / GZIP_RATIO <= length
            || complain(idx, error, "promises %" PRIu64 " bytes, more than %" PRIu64 " gzipped bytes can hold",
                        idx->size, length);
    }
    uint64_t held = length - idx->header;
    return held == idx->size
        || complain(idx, error, "promises %" PRIu64 " bytes behind its header of %" PRIu64 ", but %s %" PRIu64 ": %s",
                        idx->size, idx->header, held < idx->size ? "holds only" : "there are", held,
                        held < idx->size ? "is it complete?" : "something follows the data");
}

bool vg_idx_open(vg_idx *idx, vg_mem *mem, const char *path, uint32_t least, uint32_t most, vg_data_error *error) {
    uint64_t length = 0;
    *idx = (vg_idx){ .mem = mem, .path = path };
    if (!open_stream(idx, &length, error)) {
        return false;
    }
    return (read_magic(idx, least, most, error) && read_shape(idx, error) && check_length(idx, length, error))
        || give_up(idx);
}

bool vg_idx_read(vg_idx *idx, uint8_t *out, vg_data_error *error) {
    uint64_t got, more;
    uint8_t beyond;
    if (!read_some(idx, idx->header, out, idx->size, &got, error)) {
        return false;
    }
    if (got < idx->size) {
        return complain(idx, error, "ends at byte %" PRIu64 ": its header promises %" PRIu64 " bytes, is it complete?",
                        idx->header + got, idx->header + idx->size);
    }
    /* Reading on also makes zlib compare the checksum at the end. */
    if (!read_some(idx, idx->header + idx->size, &beyond, 1, &more, error)) {
        return false;
    }
    return !more || complain(idx, error, "goes on behind byte %" PRIu64 ", where its header says it ends",
                             idx->header + idx->size);
}
