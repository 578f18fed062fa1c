/* vg_model_provide: a data set of the host program's, as the front and the loaders know data sets. */
#include <string.h>

#include "api/model.h"
#include "front/dataset.h"

enum { COLUMNS = 16, RANK = 4 };

typedef struct providing { vg_model *model; const char *name; const vg_provider *provider; } providing;

/* NULL: nothing is wrong with it. */
static const char *wrong_column(const vg_provider *provider, size_t k) {
    const vg_provider_column *column = &provider->columns[k];
    uint64_t elements = 1;
    if (!column->name || !*column->name) return "a column has no name";
    for (size_t i = 0; i < k; i++)
        if (strcmp(provider->columns[i].name, column->name) == 0) return "two columns have one name";
    if (column->rank > RANK) return "a column has more than 4 axes";
    for (uint32_t axis = 0; axis < column->rank; axis++) {
        if (column->shape[axis] == 0) return "a column has an axis of length 0";
        elements *= column->shape[axis];
        if (elements > INT32_MAX) return "an example is larger than 2^31 - 1 numbers";
    }
    return column->classes && !column->integer ? "a column of classes is of integers" : NULL;
}

static const char *wrong(const vg_provider *provider) {
    const char *what = NULL;
    if (!provider->gather) return "it has no function that gathers";
    if (!provider->columns || provider->column_count == 0) return "it has no columns";
    if (provider->column_count > COLUMNS) return "it has more than 16 columns";
    if (provider->count == 0 || provider->count > INT32_MAX) return "its count must be 1 to 2^31 - 1";
    if (provider->train > provider->count) return "more examples are to train on than there are";
    for (size_t k = 0; k < provider->column_count && !what; k++) what = wrong_column(provider, k);
    return what;
}

/* ir->arena keeps it, and its texts. */
static vg_dataset *dataset_of(vg_model *model, vg_str name, const vg_provider *provider) {
    vg_dataset *set = VG_NEW(&model->ir.arena, vg_dataset);
    set->mem = &model->mem;
    set->source = &vg_source_provided;
    set->name = name;
    set->folder = "";
    set->test = -1;
    set->count = (uint32_t)provider->count;
    set->own_train = (uint32_t)provider->train;
    set->gather = provider->gather;
    set->gather_user = provider->user;
    vg_dataset_columns(set, (uint32_t)provider->column_count);
    for (uint32_t k = 0; k < set->column_count; k++) {
        const vg_provider_column *from = &provider->columns[k];
        vg_column *to = &set->columns[k];
        to->name = vg_arena_copy(&model->ir.arena, from->name, strlen(from->name));
        to->dtype = from->integer ? VG_I32 : VG_F32;
        to->storage = from->integer ? VG_STORE_I32 : VG_STORE_F32;
        to->rank = from->rank;
        memcpy(to->shape, from->shape, from->rank * sizeof *from->shape);
        to->classes = from->classes;
        if (!set->classes) set->classes = from->classes;
    }
    return set;
}

bool vg_model_provides(const vg_model *model, vg_str name) {
    for (uint32_t k = 0; k < model->front.provided.count; k++)
        if (model->front.provided.items[k].name == name) return true;
    return false;
}

static vg_status provide(void *user) {
    const providing *p = user;
    vg_model *model = p->model;
    const vg_span nowhere = { 0, 0 };
    const vg_str name = vg_strings_c(&model->ir.strings, p->name);
    bool twice = vg_model_provides(model, name);
    for (uint32_t k = 0; k < model->front.data.count; k++) twice = twice || model->front.data.items[k].name == name;
    const char *what = wrong(p->provider);
    if (twice) vg_report(&model->ir.diags, option_twice, nowhere, 0, "data", p->name);
    else if (what) vg_report(&model->ir.diags, provided_wrong, nowhere, 0, p->name, what);
    else if (model->source_length) vg_report0(&model->ir.diags, loaded_twice, nowhere, 0);
    else {
        vg_provided row = { name, dataset_of(model, name, p->provider), false };
        vg_vec_push(&model->mem, &model->front.provided, row);
        return VG_OK;
    }
    return VG_FAILED_USAGE;
}

vg_status vg_model_provide(vg_model *model, const char *name, const vg_provider *provider) {
    providing p = { model, name, provider };
    return vg_model_guard(model, NULL, provide, &p);
}
