/* What TensorBoard is told of the model: its source for the text plugin, and for the hparams plugin the values that the
 * command line gave its consts and settings, so that the runs of a sweep stand side by side there. */
#include <stdlib.h>
#include <string.h>

#include "api/model.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

enum { SUCCESS = 1, FAILURE = 2 };

static char *utf8(vg_arena *arena, const char *text) {
    return (char *)(uintptr_t)vg_sink_utf8(arena, text, strlen(text));   /* protobuf-c only reads it */
}

/* The text plugin shows Markdown: indented by four blanks, a line is shown as it stands. */
static char *indented(vg_arena *arena, const char *source, size_t length) {
    size_t lines = 1;
    for (size_t i = 0; i < length; i++) {
        lines += source[i] == '\n';
    }
    char *text = vg_arena_alloc(arena, length + 4 * lines + 1), *to = text;
    for (const char *from = source, *end = source + length; from < end;) {
        const char *stop = memchr(from, '\n', (size_t)(end - from));
        const size_t line = (size_t)((stop ? stop + 1 : end) - from);
        memset(to, ' ', 4);
        memcpy(to + 4, from, line);
        to += 4 + line;
        from += line;
    }
    return text;
}

static void add_value(vg_text *out, vg_arena *arena, double wall_time, char *tag, char *plugin_name,
                      ProtobufCBinaryData content, VgTb__Tensor *tensor) {
    VgTb__PluginData plugin = VG_TB__PLUGIN_DATA__INIT;
    plugin.plugin_name = plugin_name;
    plugin.has_content = content.len > 0;
    plugin.content = content;
    VgTb__Metadata metadata = VG_TB__METADATA__INIT;
    metadata.plugin_data = &plugin;
    metadata.has_data_class = true;
    metadata.data_class = VG_TENSORBOARD_CLASS_TENSOR;
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag;
    value.tensor = tensor;
    value.metadata = &metadata;
    vg_tensorboard_value(out, arena, wall_time, 0, &value);
}

/* A tensor of one string, without axes. */
static void add_source(vg_text *out, vg_arena *arena, const vg_model *model, double wall_time) {
    char tag[] = VG_TENSORBOARD_MODEL_TAG, plugin[] = "text";
    size_t length;
    const char *source = vg_model_source(model, &length);
    source = vg_sink_utf8(arena, source, length);
    char *text = indented(arena, source, strlen(source));
    ProtobufCBinaryData string = { strlen(text), (uint8_t *)text };
    VgTb__Shape shape = VG_TB__SHAPE__INIT;
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = true;
    tensor.dtype = VG_TENSORBOARD_STRING;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = 1;
    tensor.string_val = &string;
    add_value(out, arena, wall_time, tag, plugin, (ProtobufCBinaryData){ 0, NULL }, &tensor);
}

/* The plugin reads the metadata alone; a tensor of no numbers stands for the value. */
static void add_hyperparameters(vg_text *out, vg_arena *arena, double wall_time, char *tag,
                                const VgTb__Hyperparameters *message) {
    char plugin[] = "hparams";
    uint8_t *packed = vg_arena_alloc(arena, vg_tb__hyperparameters__get_packed_size(message));
    const ProtobufCBinaryData content = { vg_tb__hyperparameters__pack(message, packed), packed };
    VgTb__Dim none = VG_TB__DIM__INIT;
    none.has_size = true;
    VgTb__Shape shape = VG_TB__SHAPE__INIT;
    shape.n_dim = 1;
    shape.dim = &(VgTb__Dim *){ &none };
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = true;
    tensor.dtype = VG_TENSORBOARD_FLOAT;
    tensor.tensor_shape = &shape;
    add_value(out, arena, wall_time, tag, plugin, content, &tensor);
}

/* A number where the expression is one, else its text. */
static VgTb__Setting *setting_of(vg_arena *arena, const vg_model *model, const vg_override *override) {
    const vg_source *source = vg_sources_at(&model->ir.diags.sources, override->span.begin);
    char *text = utf8(arena, source ? source->text : ""), *end;
    VgTb__Constant *constant = VG_NEW(arena, VgTb__Constant);
    vg_tb__constant__init(constant);
    constant->number_value = strtod(text, &end);
    constant->has_number_value = end > text && end[strspn(end, " ")] == '\0' && strpbrk(text, "0123456789");
    constant->string_value = constant->has_number_value ? NULL : text;
    VgTb__Setting *setting = VG_NEW(arena, VgTb__Setting);
    vg_tb__setting__init(setting);
    setting->key = utf8(arena, vg_strings_text(&model->ir.strings, override->name));
    setting->value = constant;
    return setting;
}

static void add_start(vg_text *out, vg_arena *arena, const vg_model *model, const char *group, double wall_time) {
    char tag[] = VG_TENSORBOARD_START_TAG;
    const uint32_t count = model->front.sets.count;
    VgTb__SessionStart start = VG_TB__SESSION_START__INIT;
    start.n_hparams = count;
    start.hparams = VG_ARRAY(arena, VgTb__Setting *, count);
    for (uint32_t k = 0; k < count; k++) {
        start.hparams[k] = setting_of(arena, model, &model->front.sets.items[k]);
    }
    start.group_name = utf8(arena, group);
    start.has_start_time_secs = true;
    start.start_time_secs = wall_time;
    VgTb__Hyperparameters message = VG_TB__HYPERPARAMETERS__INIT;
    message.has_version = true;
    message.session_start_info = &start;
    add_hyperparameters(out, arena, wall_time, tag, &message);
}

void vg_tensorboard_model(vg_text *out, vg_arena *arena, const vg_model *model, const char *group, double wall_time) {
    add_source(out, arena, model, wall_time);
    if (model->front.sets.count > 0) {
        add_start(out, arena, model, group, wall_time);
    }
}

void vg_tensorboard_model_end(vg_text *out, vg_arena *arena, const vg_model *model, vg_status status,
                              double wall_time) {
    if (model->front.sets.count == 0) {
        return;
    }
    char tag[] = VG_TENSORBOARD_END_TAG;
    VgTb__SessionEnd end = VG_TB__SESSION_END__INIT;
    end.has_status = end.has_end_time_secs = true;
    end.status = status == VG_OK ? SUCCESS : FAILURE;
    end.end_time_secs = wall_time;
    VgTb__Hyperparameters message = VG_TB__HYPERPARAMETERS__INIT;
    message.has_version = true;
    message.session_end_info = &end;
    add_hyperparameters(out, arena, wall_time, tag, &message);
}
