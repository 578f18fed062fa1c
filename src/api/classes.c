/* The words that a data set has for its classes. */
#include <string.h>

#include "api/model.h"
#include "front/dataset.h"

static const vg_column *column_named(const vg_dataset *set, const char *name) {
    for (uint32_t k = 0; k < set->column_count; k++)
        if (strcmp(set->columns[k].name, name) == 0) return &set->columns[k];
    return NULL;
}

const char *vg_model_class(const vg_model *model, const char *column, size_t index) {
    const char *dot = strchr(column, '.');
    for (uint32_t k = 0; k < model->unit.datasets.count && dot; k++) {
        const vg_dataset *set = model->unit.datasets.items[k];
        const char *name = vg_strings_text(&model->ir.strings, set->name);
        if (strlen(name) != (size_t)(dot - column) || strncmp(name, column, (size_t)(dot - column)) != 0) continue;
        const vg_column *found = column_named(set, dot + 1);
        return found && found->texts && index < found->classes ? found->texts[index] : NULL;
    }
    return NULL;
}
