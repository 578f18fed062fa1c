/* Gathers first and last values by family (family.h). */
#include "watch/family.h"

#include <ctype.h>
#include <string.h>

void vg_families_init(vg_families *families, vg_mem *mem) {
    *families = (vg_families){ .mem = mem };
    vg_arena_init(&families->arena, mem);
}

/* The length of the index that stands at `at` in the text `begin`: [1, 2], of numbers or a star, behind what it is an
 * index of. 0: there is none. */
static size_t index_length(const char *begin, const char *at) {
    const bool behind = at > begin && *at == '[' && (isalnum((unsigned char)at[-1]) || strchr("_])", at[-1]));
    const size_t numbers = behind ? strspn(at + 1, "0123456789, -*") : 0;
    return numbers && at[1 + numbers] == ']' ? numbers + 2 : 0;
}

static vg_family_kind kind_of(const vg_record *record) {
    return record->kind == VG_RECORD_HISTOGRAM ? VG_FAMILY_HISTOGRAMS
         : record->test ? VG_FAMILY_TEST : VG_FAMILY_SCALARS;
}

/* What the members of a family have in common: the text before the last '/' (but not that of a division), or, of a
 * path, the path with '*' for its indices. Scalars without a '/' are one family. */
static char *key_of(vg_families *families, const char *tag, bool histograms, size_t *prefix) {
    const char *slash = strrchr(tag, '/');
    slash = slash && slash[1] != ' ' ? slash : NULL;
    *prefix = slash ? (size_t)(slash + 1 - tag) : 0;
    if (slash) {
        return vg_arena_copy(&families->arena, tag, (size_t)(slash - tag));
    }
    if (!histograms) {
        return vg_arena_copy(&families->arena, "scalars", strlen("scalars"));
    }
    char *key = vg_arena_copy(&families->arena, tag, strlen(tag)), *to = key;
    for (const char *from = tag; *from;) {
        const size_t length = index_length(tag, from);
        if (length) {
            memcpy(to, "[*]", 3);
        } else {
            *to = *from;
        }
        to += length ? 3 : 1;
        from += length ? length : 1;
    }
    *to = '\0';
    return key;
}

/* The first member alone is called by its tag; a second one turns the indices in which the two differ into '*'. */
static void widen_title(char *title, const char *tag) {
    const char *ours = title, *theirs = tag;
    char *to = title;   /* never beyond ours */
    while (*ours) {
        const size_t index = index_length(title, ours), other = index_length(tag, theirs);
        const size_t length = index ? index : 1;
        if (index != other || strncmp(ours, theirs, length) != 0) {
            memcpy(to, "[*]", 3);
            to += 3;
        } else {
            memmove(to, ours, length);
            to += length;
        }
        ours += length;
        theirs += other ? other : 1;
    }
    *to = '\0';
}

/* NULL when there are too many already. */
static vg_family *family_of(vg_families *families, const char *tag, vg_family_kind kind) {
    const bool histograms = kind == VG_FAMILY_HISTOGRAMS;
    size_t prefix;
    char *shared = key_of(families, tag, histograms, &prefix);
    const uint64_t key = vg_hash_bytes(shared, strlen(shared), kind);
    uint32_t place = vg_map_get(&families->by_key, key);
    const bool indexed = histograms && prefix == 0;
    if (place == 0) {
        if (families->list.count == VG_FAMILY_LIMIT) {
            families->left_out++;
            return NULL;
        }
        char *title = indexed ? vg_arena_copy(&families->arena, tag, strlen(tag))
                    : kind == VG_FAMILY_TEST ? vg_arena_format(&families->arena, "%s, test split", shared) : shared;
        const vg_family family = { .title = title, .prefix = prefix, .kind = kind, .stride = 1 };
        vg_vec_push(families->mem, &families->list, family);
        place = families->list.count;
        vg_map_put(families->mem, &families->by_key, key, place);
    } else if (indexed) {
        widen_title(families->list.items[place - 1].title, tag);
    }
    return &families->list.items[place - 1];
}

static void drop_row(vg_families *families, vg_row *row) {
    families->slots.items[row->slot] = NULL;
    vg_mem_free(families->mem, row->first.buckets);
    vg_mem_free(families->mem, row->last.buckets);
    vg_mem_free(families->mem, row->tag);
    vg_mem_free(families->mem, row);
}

/* Makes room: the newest row gives way unless it is one of the stride's; a full family doubles its stride. */
static void thin(vg_families *families, vg_family *family) {
    if (family->rows.count && vg_vec_last(&family->rows)->index % family->stride != 0) {
        drop_row(families, vg_vec_pop(&family->rows));
    }
    if (family->rows.count < VG_FAMILY_ROWS - 1) {
        return;
    }
    family->stride *= 2;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < family->rows.count; i++) {
        vg_row *row = family->rows.items[i];
        if (row->index % family->stride == 0) {
            family->rows.items[kept++] = row;
        } else {
            drop_row(families, row);
        }
    }
    family->rows.count = kept;
}

static vg_row *new_row(vg_families *families, vg_family *family, const char *tag) {
    thin(families, family);
    vg_row *row = vg_mem_alloc(families->mem, sizeof *row);
    row->tag = vg_mem_alloc(families->mem, strlen(tag) + 1);
    memcpy(row->tag, tag, strlen(tag) + 1);
    row->index = family->seen++;
    row->slot = families->slots.count;
    vg_vec_push(families->mem, &families->slots, row);
    vg_vec_push(families->mem, &family->rows, row);
    return row;
}

static void take_sample(vg_mem *mem, vg_sample *sample, const vg_record *record) {
    sample->step = record->step;
    sample->value = record->value;
    const vg_histogram *h = record->histogram;
    if (!h) {
        return;
    }
    sample->histogram = *h;
    if (h->bucket_count > sample->capacity) {
        sample->buckets = vg_mem_resize(mem, sample->buckets, h->bucket_count * sizeof *h->buckets);
        sample->capacity = h->bucket_count;
    }
    if (h->bucket_count) {
        memcpy(sample->buckets, h->buckets, h->bucket_count * sizeof *h->buckets);
    }
    sample->histogram.buckets = sample->buckets;
}

void vg_families_add(vg_families *families, const vg_record *record) {
    const vg_family_kind kind = kind_of(record);
    const uint64_t key = vg_hash_bytes(record->tag, strlen(record->tag), kind);
    const uint32_t known = vg_map_get(&families->by_tag, key);
    vg_row *row = known ? families->slots.items[known - 1] : NULL;
    if (known && !row) {
        return;
    }
    if (!known) {
        vg_family *family = family_of(families, record->tag, kind);
        if (!family) {
            vg_vec_push(families->mem, &families->slots, NULL);
        } else {
            row = new_row(families, family, record->tag);
            take_sample(families->mem, &row->first, record);
        }
        vg_map_put(families->mem, &families->by_tag, key, families->slots.count);
    }
    if (row) {
        take_sample(families->mem, &row->last, record);
    }
}
