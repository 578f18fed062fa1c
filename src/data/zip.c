/* Reading zip archives (zip.h): the directory at the end says where members are; each has a header of its own, which is
 * looked at only for its length. */
#include "data/zip.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

enum { END = 22, LOCATOR = 20, END64 = 56, ENTRY = 46, LOCAL = 30, COMMENT = 65535, STORED = 0, DEFLATED = 8 };
/* Deflate makes at most 258 bytes of 2 bits. */
static const uint64_t RATIO = 1032;

/* "'path' ..."; returns false. */
__attribute__((format(printf, 3, 4)))
static bool complain(const vg_zip *zip, vg_data_error *error, const char *format, ...) {
    char text[sizeof error->text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return vg_data_fail(error, "'%s' %s", zip->path, text);
}

/* A number of `size` bytes, little endian; the place is known to lie within the archive. */
static uint64_t number(const vg_zip *zip, uint64_t at, int size) {
    uint64_t value = 0;
    for (int k = size; k-- > 0;) {
        value = value << 8 | (uint8_t)zip->bytes[at + (uint64_t)k];
    }
    return value;
}

static bool has(const vg_zip *zip, uint64_t at, uint64_t length) {
    return at <= zip->length && length <= zip->length - at;
}

static bool is_at(const vg_zip *zip, uint64_t at, const char signature[4], uint64_t length) {
    return has(zip, at, length) && memcmp(zip->bytes + at, signature, 4) == 0;
}

/* ---- the directory */

/* Where the archive's end record begins: the last place from which its comment fills the file. */
static bool find_end(const vg_zip *zip, uint64_t *end) {
    for (uint64_t back = END; back <= zip->length && back <= END + COMMENT; back++) {
        uint64_t at = zip->length - back;
        if (is_at(zip, at, "PK\5\6", END) && number(zip, at + 20, 2) == back - END) {
            *end = at;
            return true;
        }
    }
    return false;
}

typedef struct directory { uint64_t at, count, size; } directory;

static bool find_directory(const vg_zip *zip, directory *d, vg_data_error *error) {
    uint64_t end;
    if (!zip->length) {
        return complain(zip, error, "is empty: an NPZ file was expected");
    }
    if (zip->length < 4 || (memcmp(zip->bytes, "PK\3\4", 4) != 0 && memcmp(zip->bytes, "PK\5\6", 4) != 0)) {
        return complain(zip, error, "is not an NPZ file: it does not begin with PK, as a zip archive does");
    }
    if (!find_end(zip, &end)) {
        return complain(zip, error, "has no directory at its end (byte %" PRIu64 "): is it complete?", zip->length);
    }
    *d = (directory){ number(zip, end + 16, 4), number(zip, end + 10, 2), number(zip, end + 12, 4) };
    if (end >= LOCATOR && is_at(zip, end - LOCATOR, "PK\6\7", LOCATOR)) {
        uint64_t large = number(zip, end - LOCATOR + 8, 8);
        if (!is_at(zip, large, "PK\6\6", END64)) {
            return complain(zip, error, "is damaged: no end record of 64 bits stands at byte %" PRIu64, large);
        }
        *d = (directory){ number(zip, large + 48, 8), number(zip, large + 32, 8), number(zip, large + 40, 8) };
    }
    return has(zip, d->at, d->size) && d->at + d->size <= end
        ? true : complain(zip, error, "is damaged: its directory would lie behind byte %" PRIu64, end);
}

/* Numbers that do not fit 32 bits stand in the entry's extra field 1, those of them that are needed in this order. */
static bool read_extra(const vg_zip *zip, uint64_t at, uint64_t end, uint64_t *const wide[3]) {
    while (at + 4 <= end) {
        uint64_t id = number(zip, at, 2), size = number(zip, at + 2, 2), field = at + 4;
        if (size > end - field) {
            return false;
        }
        for (int k = 0; id == 1 && k < 3; k++) {
            if (*wide[k] != UINT32_MAX) {
                continue;
            }
            if (field + 8 > at + 4 + size) {
                return false;
            }
            *wide[k] = number(zip, field, 8);
            field += 8;
        }
        at += 4 + size;
    }
    return true;
}

static bool check_member(const vg_zip *zip, vg_zip_member *member, uint64_t local, vg_data_error *error) {
    if (!is_at(zip, local, "PK\3\4", LOCAL)) {
        return complain(zip, error, "is damaged: its member '%s' does not begin at byte %" PRIu64, member->name, local);
    }
    uint64_t data = local + LOCAL + number(zip, local + 26, 2) + number(zip, local + 28, 2);
    if (!has(zip, data, member->packed)) {
        return complain(zip, error, "promises %" PRIu64 " bytes of '%s' at byte %" PRIu64 ", but ends before: is it "
                "complete?",
                        member->packed, member->name, data);
    }
    if (member->deflated ? member->size / RATIO > member->packed : member->size != member->packed) {
        return complain(zip, error, "promises %" PRIu64 " bytes of '%s', which %" PRIu64 " cannot hold", member->size,
                        member->name, member->packed);
    }
    member->bytes = zip->bytes + data;
    return true;
}

/* One entry; *at moves behind it. */
static bool read_entry(vg_zip *zip, uint64_t *at, uint64_t end, vg_data_error *error) {
    if (end - *at < ENTRY || !is_at(zip, *at, "PK\1\2", ENTRY)) {
        return complain(zip, error, "is damaged: its directory has no entry at byte %" PRIu64, *at);
    }
    uint64_t flags = number(zip, *at + 8, 2), method = number(zip, *at + 10, 2), length = number(zip, *at + 28, 2);
    uint64_t extra = number(zip, *at + 30, 2), local = number(zip, *at + 42, 4), name = *at + ENTRY;
    vg_zip_member member = { .deflated = method == DEFLATED, .crc = (uint32_t)number(zip, *at + 16, 4),
                             .packed = number(zip, *at + 20, 4), .size = number(zip, *at + 24, 4) };
    uint64_t next = name + length + extra + number(zip, *at + 32, 2);
    if (next > end || !read_extra(zip, name + length, name + length + extra,
                                  (uint64_t *const[]){ &member.size, &member.packed, &local })) {
        return complain(zip, error, "is damaged: the directory's entry at byte %" PRIu64 " is too long", *at);
    }
    char *text = vg_mem_alloc(zip->mem, (size_t)length + 1);
    memcpy(text, zip->bytes + name, (size_t)length);
    member.name = text;
    if (flags & 1 || (method != STORED && method != DEFLATED)) {
        return complain(zip, error, flags & 1 ? "holds '%s' encrypted" : "holds '%s' packed in a way that is not "
                        "known: stored and deflated members can be read", text);
    }
    if (!check_member(zip, &member, local, error)) {
        return false;
    }
    vg_vec_push(zip->mem, &zip->members, member);
    *at = next;
    return true;
}

bool vg_zip_open(vg_zip *zip, vg_mem *mem, const char *path, const char *bytes, size_t length, vg_data_error *error) {
    directory d = { 0 };
    *zip = (vg_zip){ .mem = mem, .path = path, .bytes = bytes, .length = length };
    if (!find_directory(zip, &d, error)) {
        return false;
    }
    uint64_t at = d.at;
    for (uint64_t k = 0; k < d.count; k++) {
        if (!read_entry(zip, &at, d.at + d.size, error)) {
            return false;
        }
    }
    return true;
}

/* ---- members */

static bool check_sum(const vg_zip *zip, const vg_zip_member *member, const void *bytes, vg_data_error *error) {
    return crc32_z(0, bytes, (size_t)member->size) == member->crc
        || complain(zip, error, "is damaged: the sum of '%s' (byte %zu) is another one", member->name,
                    (size_t)(member->bytes - zip->bytes));
}

bool vg_zip_check(const vg_zip *zip, const vg_zip_member *member, vg_data_error *error) {
    return check_sum(zip, member, member->bytes, error);
}

static unsigned part_of(uint64_t left) {
    enum { PART = 1 << 30 };
    return left < PART ? (unsigned)left : PART;
}

/* zlib's own result. Nothing is allocated by us meanwhile. */
static int inflate_all(const vg_zip_member *member, void *out, uint64_t *made) {
    z_stream stream = { .next_in = (z_const Bytef *)(uintptr_t)member->bytes, .next_out = out };
    uint64_t in = member->packed, room = member->size;
    int result = inflateInit2(&stream, -MAX_WBITS);
    if (result != Z_OK) {
        return result;
    }
    while (result == Z_OK) {
        unsigned given = stream.avail_in = part_of(in), free_bytes = stream.avail_out = part_of(room);
        result = inflate(&stream, Z_NO_FLUSH);
        in -= given - stream.avail_in;
        room -= free_bytes - stream.avail_out;
    }
    *made = member->size - room;
    inflateEnd(&stream);
    return result;
}

bool vg_zip_inflate(const vg_zip *zip, const vg_zip_member *member, void *out, vg_data_error *error) {
    uint64_t made = 0;
    int result = inflate_all(member, out, &made);
    if (result == Z_MEM_ERROR) {
        vg_mem_fail(zip->mem);
    }
    if (result != Z_STREAM_END || made != member->size) {
        return complain(zip, error, "is damaged: '%s' cannot be unpacked after byte %" PRIu64 " of %" PRIu64,
                        member->name,
                        made, member->size);
    }
    return check_sum(zip, member, out, error);
}
