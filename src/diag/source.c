/* Source texts in one space of offsets (source.h). A text's end belongs to it, so that an error at the end of a
 * file has a place; offset 0 belongs to none. */
#include "diag/source.h"

#include <string.h>

static const uint32_t SPACE = (uint32_t)1 << 31;

void vg_sources_init(vg_sources *sources, vg_arena *arena) {
    *sources = (vg_sources){ .arena = arena };
    vg_vec_push(arena->mem, &sources->list, ((vg_source){ .name = "", .text = "" }));
}

uint32_t vg_sources_add(vg_sources *sources, vg_source_kind kind, const char *name, const char *text, size_t length) {
    const vg_source *last = &vg_vec_last(&sources->list);
    uint32_t base = last->base + last->length + 1;
    if (length >= SPACE - base) {
        return 0;
    }
    vg_source source = { .base = base, .length = (uint32_t)length, .kind = kind };
    source.name = vg_arena_copy(sources->arena, name, strlen(name));
    source.text = vg_arena_copy(sources->arena, text, length);
    vg_vec_push(sources->arena->mem, &sources->list, source);
    return sources->list.count - 1;
}

const vg_source *vg_sources_at(const vg_sources *sources, uint32_t offset) {
    uint32_t low = 0, high = sources->list.count;   /* items[low].base <= offset < items[high].base */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (sources->list.items[middle].base <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const vg_source *source = &sources->list.items[low];
    return low && offset - source->base <= source->length ? source : NULL;
}

vg_position vg_sources_position(const vg_sources *sources, uint32_t offset) {
    const vg_source *source = vg_sources_at(sources, offset);
    if (!source) {
        return (vg_position){ 0 };
    }
    vg_position position = { source, 1, 1 };
    const char *line = source->text, *end = line + (offset - source->base);
    for (const char *found; (found = memchr(line, '\n', (size_t)(end - line))); line = found + 1) {
        position.line++;
    }
    for (const char *p = line; p < end; p++) {
        position.column += ((unsigned char)*p & 0xc0) != 0x80;   /* the first byte of a character */
    }
    return position;
}
