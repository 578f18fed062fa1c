/* data and input: which source, which column, and how its shape is read. */
#include "diag/suggest.h"
#include "front/dataset.h"
#include "front/elaborator.h"

/* ---- data */

static const vg_source_row *source_find(const char *name) {
    for (uint32_t k = 0; k < vg_source_row_count; k++)
        if (__builtin_strcmp(vg_source_rows[k].name, name) == 0) return &vg_source_rows[k];
    return NULL;
}

static int parameter_find(const vg_source_row *source, const char *name) {
    for (uint32_t k = 0; k < source->parameter_count; k++)
        if (__builtin_strcmp(source->parameters[k].name, name) == 0) return (int)k;
    return -1;
}

static bool take_argument(vg_elaborator *e, vg_dataset *set, int at, vg_value value, vg_tree_id tree) {
    static const char *const kinds[] = { "a number", "a string", "true or false" };
    const vg_source_parameter *parameter = &set->source->parameters[at];
    if (value.kind == VG_V_poison) return false;
    if (parameter->kind == VG_ARGUMENT_NUMBER && value.kind == VG_V_number) {
        set->arguments[at].number = value.number;
    } else if (parameter->kind == VG_ARGUMENT_TRUTH && value.kind == VG_V_bool) {
        set->arguments[at].number = value.id;
    } else if (parameter->kind == VG_ARGUMENT_TEXT && value.kind == VG_V_string) {
        set->arguments[at].text = vg_text_of(e, value.id);
    } else {
        vg_report(e->diags, data_argument_kind, vg_tree_span(e->tree, tree), e->frame->call, parameter->name,
                  kinds[parameter->kind], vg_value_noun(value.kind));
        return false;
    }
    set->arguments[at].given = true;
    return true;
}

static void report_argument(vg_elaborator *e, const vg_source_row *source, vg_tree_id at, const char *name) {
    vg_report(e->diags, unknown_argument, vg_tree_span(e->tree, at), e->frame->call, source->name, name);
    vg_suggest suggest;
    vg_suggest_start(&suggest, name);
    vg_suggest_offer(&suggest, "test");
    vg_suggest_offer(&suggest, "scale");
    for (uint32_t k = 0; k < source->parameter_count; k++) vg_suggest_offer(&suggest, source->parameters[k].name);
    if (vg_suggest_best(&suggest))
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    else
        vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it is %s", source->signature);
}

static bool take_test(vg_elaborator *e, vg_dataset *set, vg_value value, vg_tree_id tree) {
    if (value.kind == VG_V_poison) return false;
    if (value.kind == VG_V_number && value.number >= 0 && value.number < 1) {
        set->test = value.number;
        return true;
    }
    vg_report0(e->diags, data_test_share, vg_tree_span(e->tree, tree), e->frame->call);
    return false;
}

static bool take_scale(vg_elaborator *e, vg_dataset *set, vg_value value, vg_tree_id tree) {
    if (value.kind == VG_V_poison) return false;
    if (value.kind == VG_V_string) {
        set->scale = vg_text_of(e, value.id);
        return true;
    }
    vg_report(e->diags, data_argument_kind, vg_tree_span(e->tree, tree), e->frame->call, "scale", "a string",
              vg_value_noun(value.kind));
    return false;
}

static bool data_arguments(vg_elaborator *e, vg_dataset *set, vg_tree_id call) {
    uint32_t list = e->tree->b.items[call];
    bool fine = true;
    for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
        vg_tree_id argument = vg_tree_item(e->tree, list, k), name = e->tree->a.items[argument];
        vg_tree_id tree = e->tree->b.items[argument];
        const char *text = name ? vg_text_of(e, vg_tree_name(e->tree, name)) : "";
        vg_value value = vg_evaluate(e, tree);
        int at = name ? parameter_find(set->source, text) : k < set->source->parameter_count ? (int)k : -1;
        if (name && __builtin_strcmp(text, "test") == 0) {
            fine &= take_test(e, set, value, tree);
        } else if (name && __builtin_strcmp(text, "scale") == 0) {
            fine &= take_scale(e, set, value, tree);
        } else if (at < 0 && name) {
            report_argument(e, set->source, name, text);
            fine = false;
        } else if (at < 0) {
            vg_report(e->diags, too_many_arguments, vg_tree_span(e->tree, argument), e->frame->call, set->source->name,
                      vg_arena_format(&e->arena, "%u", set->source->parameter_count));
            return false;
        } else if (set->arguments[at].given) {
            vg_report(e->diags, argument_twice, vg_tree_span(e->tree, argument), e->frame->call,
                      set->source->parameters[at].name);
            fine = false;
        } else {
            fine &= take_argument(e, set, at, value, tree);
        }
    }
    for (uint32_t k = 0; fine && k < set->source->parameter_count; k++) {
        if (!set->source->parameters[k].required || set->arguments[k].given) continue;
        vg_report(e->diags, missing_argument, vg_tree_span(e->tree, call), e->frame->call, set->source->name,
                  set->source->parameters[k].name);
        fine = false;
    }
    return fine;
}

/* Which call a data expression comes down to; 0 after reporting. */
static vg_tree_id source_call(vg_elaborator *e, vg_tree_id tree) {
    bool truth;
    for (;;) {
        vg_kind kind = vg_tree_kind(e->tree, tree);
        if (kind == VG_K_group) tree = e->tree->a.items[tree];
        else if (kind == VG_K_if_else) {
            if (!vg_evaluate_bool(e, e->tree->a.items[tree], "the condition of 'if'", &truth)) return 0;
            tree = truth ? e->tree->b.items[tree] : e->tree->c.items[tree];
        } else break;
    }
    bool call = vg_tree_kind(e->tree, tree) == VG_K_call;
    if (call && vg_tree_kind(e->tree, e->tree->a.items[tree]) == VG_K_name) return tree;
    vg_report0(e->diags, data_not_source, vg_tree_span(e->tree, tree), e->frame->call);
    return 0;
}

static const vg_source_row *source_of(vg_elaborator *e, vg_tree_id name) {
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    const vg_source_row *source = source_find(text);
    if (!source) {
        vg_report(e->diags, unknown_source, vg_tree_span(e->tree, name), e->frame->call, text);
        vg_suggest suggest;
        vg_suggest_start(&suggest, text);
        for (uint32_t k = 0; k < vg_source_row_count; k++) vg_suggest_offer(&suggest, vg_source_rows[k].name);
        if (vg_suggest_best(&suggest))
            vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    }
    return source;
}

/* The folder that paths of a model file start at; of an option, the current one. */
static const char *folder_of(vg_elaborator *e, vg_span span) {
    const vg_source *source = vg_sources_at(&e->diags->sources, span.begin);
    if (!source || source->kind == VG_SOURCE_OPTION) return "";
    const char *slash = __builtin_strrchr(source->name, '/');
    return slash ? vg_arena_copy(&e->ir->arena, source->name, (size_t)(slash - source->name) + 1) : "";
}

static vg_override *data_override(vg_elaborator *e, vg_str name) {
    for (uint32_t k = 0; k < e->front->data.count; k++)
        if (e->front->data.items[k].name == name) return &e->front->data.items[k];
    return NULL;
}

/* What a checkpoint says of a data set of this name; NULL: nothing. */
static const vg_facts *facts_of(vg_elaborator *e, vg_str name) {
    for (uint32_t k = 0; k < e->front->facts.count; k++)
        if (__builtin_strcmp(e->front->facts.items[k]->name, vg_text_of(e, name)) == 0) return e->front->facts.items[k];
    return NULL;
}

static vg_dataset *provided_dataset(vg_elaborator *e, vg_str name) {
    vg_data_error error;
    for (uint32_t k = 0; k < e->front->provided.count; k++) {
        vg_provided *row = &e->front->provided.items[k];
        if (row->name != name) continue;
        row->used = true;
        vg_dataset_describe(row->set, &error);      /* it counts the splits; nothing can be wrong */
        return row->set;
    }
    return NULL;
}

static vg_dataset *make_dataset(vg_elaborator *e, vg_str name, vg_tree_id tree) {
    vg_tree_id call = source_call(e, tree);
    const vg_source_row *source = call ? source_of(e, e->tree->a.items[call]) : NULL;
    if (!source) return NULL;
    vg_dataset *set = VG_NEW(&e->ir->arena, vg_dataset);
    set->mem = e->mem;
    set->source = source;
    set->name = name;
    set->test = -1;
    set->folder = folder_of(e, vg_tree_span(e->tree, call));
    for (uint32_t k = 0; k < source->parameter_count; k++) set->arguments[k].number = source->parameters[k].number;
    if (!data_arguments(e, set, call)) return NULL;
    vg_data_error error = { .text = "" };
    set->facts = facts_of(e, name);
    if (set->facts && !data_override(e, name)) {
        vg_dataset_recall(set, set->facts);
        return set;
    }
    if (vg_dataset_describe(set, &error) && (!set->facts || vg_dataset_matches(set, &error))) return set;
    vg_span span = vg_tree_span(e->tree, call);
    if (error.argument) vg_report(e->diags, data_wrong, span, e->frame->call, vg_text_of(e, name), error.text);
    else vg_report(e->diags, data_failed, span, e->frame->call, vg_text_of(e, name), error.text);
    if (!set->column_count) return NULL;
    set->failed = true;
    set->train_count = set->test_count = INT32_MAX;   /* not known: nothing is too many */
    return set;
}

void vg_declare_data(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement], tree = e->tree->b.items[statement];
    vg_override *set = data_override(e, vg_tree_name(e->tree, name));
    if (set) {
        set->used = true;
        tree = set->tree;
    }
    uint32_t index = 0;
    vg_str text = vg_tree_name(e->tree, name);
    while (index < e->unit->datasets.count && e->unit->datasets.items[index]->name != text) index++;
    if (index == e->unit->datasets.count) {
        vg_dataset *dataset = provided_dataset(e, text);
        if (!dataset) dataset = make_dataset(e, text, tree);
        e->input_lost |= !dataset;
        if (dataset) vg_vec_push(e->mem, &e->unit->datasets, dataset);
    }
    vg_entry entry = vg_bind_entry(e, name, NULL, 0, VG_E_data);
    if (entry && index < e->unit->datasets.count)
        vg_bind_value(e, entry, (vg_value){ VG_V_data, index, 0 });
}

/* By --data: its columns then need not be those that the model reads. */
static bool is_replaced(const vg_elaborator *e, vg_str name) {
    for (uint32_t k = 0; k < e->front->data.count; k++)
        if (e->front->data.items[k].name == name) return true;
    return false;
}

vg_value vg_data_member(vg_elaborator *e, vg_value data, vg_tree_id name) {
    const vg_dataset *set = e->unit->datasets.items[data.id];
    const char *text = vg_text_of(e, vg_tree_name(e->tree, name));
    for (uint32_t k = 0; k < set->column_count; k++) {
        if (__builtin_strcmp(set->columns[k].name, text) != 0) continue;
        if (!set->columns[k].refused) return (vg_value){ VG_V_column, data.id, k };
        vg_report(e->diags, data_wrong, vg_tree_span(e->tree, name), e->frame->call, vg_text_of(e, set->name),
                  set->columns[k].refused);
        return vg_value_poison();
    }
    if (__builtin_strcmp(text, "count") == 0) return vg_value_number(set->train_count);
    if (__builtin_strcmp(text, "classes") == 0 && set->failed && !set->classes) return vg_value_poison();
    if (__builtin_strcmp(text, "classes") == 0 && set->classes) return vg_value_number(set->classes);
    if (set->failed && is_replaced(e, set->name)) return vg_value_poison();      /* that is what has to be mended first */
    vg_report(e->diags, no_column, vg_tree_span(e->tree, name), e->frame->call, vg_text_of(e, set->name), text);
    vg_text all = vg_text_new(e->mem);
    for (uint32_t k = 0; k < set->column_count; k++) vg_text_format(&all, "%s%s", k ? ", " : "", set->columns[k].name);
    vg_diags_note(e->diags, (vg_span){ 0, 0 }, "it has the columns %s, and count%s", vg_text_c(&all),
                  set->classes || set->failed ? ", classes" : "");
    vg_text_free(&all);
    return vg_value_poison();
}

/* ---- input */

/* A dimension of an input: a name not bound yet becomes a symbol (or `known`, where the column tells). */
static bool input_dim(vg_elaborator *e, vg_tree_id tree, bool first, int64_t known, vg_dim *out) {
    vg_value value;
    vg_entry entry;
    vg_span span = vg_tree_span(e->tree, tree);
    bool is_name = vg_tree_kind(e->tree, tree) == VG_K_name;
    bool bound = is_name && vg_name_find(e, vg_tree_name(e->tree, tree), &value, &entry);
    if (bound && value.kind == VG_V_function)      /* the library's `size` is no dimension, but may be its name */
        bound = entry && vg_entry_at(e, entry)->parent != e->library;
    if (is_name && !bound) {
        vg_dims *dims = &e->ir->dims;
        vg_symbol symbol = 0;
        for (uint32_t k = 1; k < dims->symbols.count && !e->training; k++)   /* the same in both graphs */
            if (dims->symbols.items[k].name == vg_tree_name(e->tree, tree)) symbol = k;
        if (known < 0 && !symbol) symbol = vg_dims_symbol(dims, vg_tree_name(e->tree, tree), span);
        *out = known >= 0 ? vg_dim_number(dims, known) : vg_dim_symbol(dims, symbol);
        entry = vg_bind_entry(e, tree, NULL, 0, VG_E_dimension);
        if (entry) vg_bind_value(e, entry, vg_dim_value_of(e, *out));
        if (first && e->training) {
            if (!e->unit->batch) e->unit->batch = symbol;
            vg_vec_push(e->mem, &e->unit->batch_symbols, symbol);
        }
        return entry != 0;
    }
    return vg_to_dim(e, is_name ? value : vg_evaluate(e, tree), "an input's dimension", span, out);
}

/* Splits `int[a, b]` and `[a, b]`; the list of dimensions, or 0 after reporting. */
static uint32_t input_dims(vg_elaborator *e, vg_tree_id shape, bool *integer) {
    vg_kind kind = vg_tree_kind(e->tree, shape);
    *integer = kind == VG_K_subscript;
    vg_tree_id base = e->tree->a.items[shape];   /* of a list its items, 0 when it is empty */
    if (kind == VG_K_list && base && vg_tree_count(e->tree, base) <= VG_RANK_LIMIT) return base;
    if (kind == VG_K_subscript && vg_tree_kind(e->tree, base) == VG_K_name &&
        vg_tree_name(e->tree, base) == vg_strings_find(&e->ir->strings, "int", 3)) {
        uint32_t list = e->tree->b.items[shape];
        bool plain = vg_tree_count(e->tree, list) <= VG_RANK_LIMIT;
        for (uint32_t k = 0; k < vg_tree_count(e->tree, list); k++) {
            vg_kind sub = vg_tree_kind(e->tree, vg_tree_item(e->tree, list, k));
            plain &= sub != VG_K_sub_all && sub != VG_K_sub_range;
        }
        if (plain) return list;
    }
    vg_report0(e->diags, input_shape_form, vg_tree_span(e->tree, shape), e->frame->call);
    return 0;
}

static const vg_column *input_column(vg_elaborator *e, vg_tree_id tree, uint32_t *dataset, uint32_t *column,
                                     bool *fine) {
    if (!tree) return NULL;
    vg_value value = vg_evaluate(e, tree);
    *fine = value.kind == VG_V_column;
    if (*fine) {
        *dataset = value.id;
        *column = (uint32_t)value.number;
        return &e->unit->datasets.items[*dataset]->columns[*column];
    }
    if (value.kind != VG_V_poison)
        vg_report(e->diags, input_not_column, vg_tree_span(e->tree, tree), e->frame->call, vg_value_noun(value.kind));
    return NULL;
}

/* The numbers of one example must be as many as the column's. */
static bool column_fits(vg_elaborator *e, const vg_column *column, const vg_dim *dims, uint32_t rank,
                        vg_tree_id shape) {
    int64_t have = 1, want = 1, number;
    for (uint32_t k = 0; k < column->rank; k++) have *= column->shape[k];
    bool numbers = true;
    for (uint32_t k = 1; k < rank; k++) {
        numbers &= vg_dim_is_number(&e->ir->dims, dims[k], &number);
        if (numbers && number >= 0 && (number == 0 || want <= INT64_MAX / number)) want *= number;
    }
    if (numbers && have == want) return true;
    vg_text text = vg_text_new(e->mem);
    vg_text_format(&text, "[");
    for (uint32_t k = 0; k < column->rank; k++) vg_text_format(&text, "%s%u", k ? ", " : "", column->shape[k]);
    vg_text_format(&text, "]");
    vg_report(e->diags, column_shape, vg_tree_span(e->tree, shape), e->frame->call, column->name, vg_text_c(&text));
    vg_text_free(&text);
    return false;
}

/* ---- inputs from files (--input) */

/* What an input without a data set looks like. False after reporting that its dimensions are not known. */
static bool column_of_dims(vg_elaborator *e, const char *name, bool integer, const vg_dim *dims, uint32_t rank,
                           vg_span span, vg_column *column) {
    *column = (vg_column){ .name = name, .dtype = integer ? VG_I32 : VG_F32,
                           .storage = integer ? VG_STORE_I32 : VG_STORE_F32, .rank = rank - 1 };
    for (uint32_t k = 1; k < rank; k++) {
        int64_t number;
        if (k <= sizeof column->shape / sizeof *column->shape && vg_dim_is_number(&e->ir->dims, dims[k], &number) &&
            number >= 0 && number <= INT32_MAX) {
            column->shape[k - 1] = (uint32_t)number;
            continue;
        }
        vg_report(e->diags, fed_unknown, span, e->frame->call, name);
        return false;
    }
    return true;
}

static vg_fed *fed_of(vg_elaborator *e, vg_str name) {
    for (uint32_t k = 0; k < e->front->fed.count; k++)
        if (e->front->fed.items[k].name == name) return &e->front->fed.items[k];
    return NULL;
}

/* The file's examples, as a data set of this one column; NULL after reporting. */
static vg_dataset *fed_dataset(vg_elaborator *e, vg_fed *fed, const vg_column *like, vg_span span) {
    vg_dataset *set = VG_NEW(&e->ir->arena, vg_dataset);
    vg_data_error error = { .text = "" };
    set->mem = e->mem;
    set->name = fed->name;
    set->folder = "";
    set->test = -1;
    set->fed = true;
    if (vg_dataset_input(set, like, fed->path, &error)) return set;
    vg_report(e->diags, fed_failed, span, e->frame->call, vg_text_of(e, fed->name), error.text);
    return NULL;
}

void vg_check_fed(vg_elaborator *e) {
    for (uint32_t k = 0; k < e->front->fed.count; k++) {
        const vg_fed *fed = &e->front->fed.items[k];
        if (fed->used) continue;
        const char *name = vg_text_of(e, fed->name);
        vg_report(e->diags, fed_unused, ((vg_span){ 0, 0 }), 0, name);
        vg_suggest suggest;
        vg_suggest_start(&suggest, name);
        for (uint32_t i = 0; i < e->unit->inputs.count; i++)
            vg_suggest_offer(&suggest, vg_text_of(e, e->unit->inputs.items[i].path));
        if (vg_suggest_best(&suggest))
            vg_diags_note(e->diags, (vg_span){ 0, 0 }, "did you mean '%s'?", vg_suggest_best(&suggest));
    }
}

void vg_declare_input(vg_elaborator *e, vg_tree_id statement) {
    vg_tree_id name = e->tree->a.items[statement], shape = e->tree->b.items[statement];
    uint32_t dataset = 0, column_index = 0;
    bool integer, fine = true;
    const vg_column *column = input_column(e, e->tree->c.items[statement], &dataset, &column_index, &fine);
    uint32_t list = input_dims(e, shape, &integer), rank = vg_tree_count(e->tree, list);
    vg_dim dims[VG_RANK_LIMIT];
    fine &= list != 0;
    for (uint32_t k = 0; k < rank; k++) {
        int64_t known = column && k && rank == column->rank + 1 ? (int64_t)column->shape[k - 1] : -1;
        fine &= input_dim(e, vg_tree_item(e->tree, list, k), k == 0, known, &dims[k]);
    }
    if (fine && column && integer && column->dtype != VG_I32) {
        vg_report(e->diags, input_integer, vg_tree_span(e->tree, shape), e->frame->call, column->name);
        fine = false;
    }
    fine = fine && (!column || column_fits(e, column, dims, rank, shape));
    vg_entry entry = vg_bind_entry(e, name, NULL, 0, VG_E_input);
    e->input_lost |= !fine;
    if (!entry || !fine) return;
    vg_dtype dtype = integer || (column && column->dtype == VG_I32) ? VG_I32 : VG_F32;
    vg_shape id = vg_shape_of(&e->ir->dims, dims, rank);
    vg_input input = { vg_entry_path(e, entry), id, dtype, column ? e->unit->datasets.items[dataset] : NULL,
                       column_index, vg_tree_span(e->tree, name) };
    vg_fed *fed = fed_of(e, input.path);
    if (fed && e->training) {
        vg_column like;
        fed->used = true;
        if (column) like = *column;
        else if (!column_of_dims(e, vg_text_of(e, fed->name), dtype == VG_I32, dims, rank, input.span, &like)) return;
        input.dataset = fed_dataset(e, fed, &like, input.span);
        input.column = 0;
        e->input_lost |= !input.dataset;
        if (!input.dataset) return;
    }
    if (e->training) vg_vec_push(e->mem, &e->unit->inputs, input);
    vg_word words[3] = { id, input.path, dtype };
    vg_here(e, vg_tree_span(e->tree, statement));
    vg_node node = vg_emit(e->graph, VG_OP_input, NULL, 0, vg_attr_of(e->ir, words, 3));
    vg_bind_value(e, entry, vg_value_tensor(node));
}
