/* Findings as JSON (object.h). */
#include <math.h>
#include <string.h>

#include "watch/object.h"
#include "watch/sink.h"

static const char *utf8(vg_arena *arena, const char *text) { return vg_sink_utf8(arena, text, strlen(text)); }

vg_finding vg_finding_copy(vg_arena *arena, const vg_finding *finding) {
    vg_finding copy = *finding;
    const char **where = VG_ARRAY(arena, const char *, finding->where_count);
    for (size_t i = 0; i < finding->where_count; i++) {
        where[i] = utf8(arena, finding->where[i]);
    }
    copy.where = where;
    copy.file = utf8(arena, finding->file);
    copy.say = utf8(arena, finding->say);
    copy.why = utf8(arena, finding->why);
    copy.try_this = utf8(arena, finding->try_this);
    copy.option = finding->option ? utf8(arena, finding->option) : NULL;
    return copy;
}

static json_t *number(double value) {
    return isnan(value) ? json_string("nan") : isinf(value) ? json_string(value > 0 ? "inf" : "-inf") : json_real(value);
}

json_t *vg_finding_object(const vg_finding *finding) {
    json_t *where = json_array();
    for (size_t i = 0; i < finding->where_count; i++) {
        if (json_array_append_new(where, json_string(finding->where[i])) != 0) {
            json_decref(where);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:s, s:s*}", "kind", "finding", "rule", finding->rule,
                     "severity", finding->severity == VG_SEVERITY_FAULT ? "fault" : "note", "follows", finding->follows,
                     "where", where, "value", number(finding->value), "limit", number(finding->limit),
                     "file", finding->file, "line", json_integer((json_int_t)finding->line), "say", finding->say, "why", finding->why,
                     "try", finding->try_this, "option", finding->option);
}
