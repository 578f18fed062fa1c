/* A report's file: the page's text around the data, as JSON and as compressed columns. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "watch/png.h"
#include "watch/report.h"

enum { DIGITS = 9 };

/* In a script element a '<' could end it; within JSON it only stands in strings. */
static void add_escaped(vg_text *out, const char *json) {
    for (size_t length; *json; json += length) {
        length = strcspn(json, "<");
        vg_text_add(out, json, length);
        if (json[length] == '<') {
            vg_text_format(out, "\\u003c");
            length++;
        }
    }
}

/* Takes the object over; NULL is without memory. */
static void add_json(vg_mem *mem, vg_text *out, json_t *object) {
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
    json_decref(object);
    if (!text) {
        vg_mem_fail(mem);
    }
    void *owned = vg_mem_own(mem, free, text);
    add_escaped(out, text);
    vg_mem_disown(mem, owned, true);
}

/* Compressed, as base64. */
static const char *pack_columns(vg_mem *mem, vg_arena *arena, const vg_text *columns) {
    uLongf packed = compressBound(columns->length);
    vg_png bytes = { vg_mem_alloc(mem, packed), 0 };
    if (compress2(bytes.bytes, &packed, (const Bytef *)vg_text_c(columns), columns->length, Z_DEFAULT_COMPRESSION) !=
        Z_OK) {
        vg_mem_fail(mem);
    }
    bytes.length = packed;
    const char *base64 = vg_png_base64(&bytes, arena);
    vg_mem_free(mem, bytes.bytes);
    return base64;
}

bool vg_report_write(vg_sink *sink, vg_arena *arena, const char *path, const vg_report_page *page, json_t *data,
                     vg_text *columns) {
    static const char begin[] = "<script type=\"application/json\" id=\"data\">",
                      block[] = "</script>\n<script type=\"text/plain\" id=\"columns\">", end[] = "</script>\n";
    vg_text json = vg_text_new(&sink->mem);
    add_json(&sink->mem, &json, data);
    const char *base64 = pack_columns(&sink->mem, arena, columns);
    vg_text_free(columns);
    const vg_piece pieces[] = {
        { page->head, page->head_length }, { begin, sizeof begin - 1 }, { json.text, json.length },
        { block, sizeof block - 1 }, { base64, strlen(base64) }, { end, sizeof end - 1 },
        { page->tail, page->tail_length }
    };
    return vg_sink_replace(sink, path, pieces, sizeof pieces / sizeof *pieces);
}
