/* The tables behind vg_value: lists and selections, and what is the same. */
#include "front/value.h"

#include <math.h>

vg_value vg_value_list(vg_values *values, const vg_value *items, uint32_t count) {
    vg_run_of run = { values->items.count, count };
    for (uint32_t k = 0; k < count; k++) vg_vec_push(values->mem, &values->items, items[k]);
    vg_vec_push(values->mem, &values->lists, run);
    return (vg_value){ VG_V_list, values->lists.count - 1, 0 };
}

uint32_t vg_list_count(const vg_values *values, vg_value list) { return values->lists.items[list.id].count; }

vg_value vg_list_item(const vg_values *values, vg_value list, uint32_t k) {
    return values->items.items[values->lists.items[list.id].first + k];
}

vg_value vg_value_selection(vg_values *values, const vg_selected *items, uint32_t count) {
    vg_run_of run = { values->selected.count, count };
    for (uint32_t k = 0; k < count; k++) vg_vec_push(values->mem, &values->selected, items[k]);
    vg_vec_push(values->mem, &values->selections, run);
    return (vg_value){ VG_V_selection, values->selections.count - 1, 0 };
}

uint32_t vg_selection_count(const vg_values *values, vg_value selection) {
    return values->selections.items[selection.id].count;
}

vg_selected vg_selection_item(const vg_values *values, vg_value selection, uint32_t k) {
    return values->selected.items[values->selections.items[selection.id].first + k];
}

bool vg_value_whole(vg_value value, int64_t *whole) {
    if (value.kind != VG_V_number || !(fabs(value.number) < 9007199254740992.0)) return false;
    if (value.number != floor(value.number)) return false;
    *whole = (int64_t)value.number;
    return true;
}

bool vg_value_equal(const vg_values *values, vg_value a, vg_value b, uint32_t *left) {
    if (a.kind != b.kind || *left == 0) return false;
    --*left;
    if (a.kind == VG_V_number) return a.number == b.number;
    if (a.kind != VG_V_list) return a.id == b.id && a.number == b.number;
    uint32_t count = vg_list_count(values, a);
    if (count != vg_list_count(values, b)) return false;
    for (uint32_t k = 0; k < count; k++)
        if (!vg_value_equal(values, vg_list_item(values, a, k), vg_list_item(values, b, k), left)) return false;
    return true;
}

const char *vg_value_noun(vg_value_kind kind) {
    switch (kind) {
    case VG_V_poison:       return "a mistake";
    case VG_V_absent:       return "nothing";
    case VG_V_number:       return "a number";
    case VG_V_dim:          return "a dimension not known until data comes";
    case VG_V_bool:         return "true or false";
    case VG_V_string:       return "a string";
    case VG_V_list:         return "a list";
    case VG_V_function:     return "a function";
    case VG_V_distribution: return "a distribution";
    case VG_V_optimizer:    return "an optimizer";
    case VG_V_data:         return "a data set";
    case VG_V_column:       return "a data column";
    case VG_V_tensor:       return "a tensor";
    case VG_V_selection:    return "a selection";
    case VG_V_family:       return "a family";
    case VG_V_axes:         return "all axes";
    }
    return "a value";
}
