/* TensorBoard's event file: records of protobuf messages, each written whole as it happens, so that a running
 * TensorBoard follows the run. Message by protobuf-c (tensorboard.proto), CRC-32C by ISA-L. */
#include <errno.h>
#include <isa-l/crc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/model.h"
#include "base/map.h"
#include "base/os.h"
#include "tensorboard.pb-c.h"
#include "watch/png.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

enum { TYPE_DOUBLE = 2, TYPE_STRING = 7, CLASS_TENSOR = 2, CLASS_BLOBS = 3, FILES_A_SECOND = 1000, IMAGES = 8 };

typedef struct tensorboard_sink {
    vg_sink  sink;
    const char *folder;
    vg_file *file;
    vg_file *test_file;  /* of values over the test split: a run of its own to TensorBoard. NULL until there are any */
    vg_arena arena;      /* for one record */
    vg_map   described;  /* hash of a tag -> the kind of its records + 1: its metadata is written */
} tensorboard_sink;

typedef struct tensorboard_options { const char *folder; const vg_graph *graph; } tensorboard_options;

uint32_t vg_crc32c(const void *bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFF;
    unsigned char *next = (unsigned char *)(uintptr_t)bytes;   /* ISA-L only reads it */
    while (length) {
        const int part = length > 1 << 30 ? 1 << 30 : (int)length;
        crc = crc32_iscsi(next, part, crc);
        next += part;
        length -= (size_t)part;
    }
    return ~crc;
}

uint32_t vg_crc32c_masked(const void *bytes, size_t length) {
    const uint32_t crc = vg_crc32c(bytes, length);
    return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

static void add_little_endian(vg_text *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        vg_text_add(out, &(char){ (char)(value >> (8 * i) & 0xFF) }, 1);
    }
}

void vg_tensorboard_frame(vg_text *out, const void *bytes, size_t length) {
    const size_t start = out->length;
    add_little_endian(out, length, 8);
    add_little_endian(out, vg_crc32c_masked(out->text + start, 8), 4);
    vg_text_add(out, bytes, length);
    add_little_endian(out, vg_crc32c_masked(bytes, length), 4);
}

static void frame_event(vg_text *out, vg_arena *arena, const VgTb__Event *event) {
    uint8_t *packed = vg_arena_alloc(arena, vg_tb__event__get_packed_size(event));
    vg_tensorboard_frame(out, packed, vg_tb__event__pack(event, packed));
}

void vg_tensorboard_version(vg_text *out, vg_arena *arena, double wall_time) {
    char version[] = "brain.Event:2";
    VgTb__Event event = VG_TB__EVENT__INIT;
    event.has_wall_time = true;
    event.wall_time = wall_time;
    event.file_version = version;
    frame_event(out, arena, &event);
}

/* One record, one write. */
static bool write_text(tensorboard_sink *self, vg_file *file, vg_text *text) {
    const int failed = vg_file_write(file, text->text, text->length);
    vg_text_free(text);
    vg_arena_release(&self->arena);
    return failed ? vg_sink_fail(&self->sink, vg_sink_reason(failed)) : true;
}

static bool write_value(tensorboard_sink *self, vg_file *file, uint64_t step, VgTb__Value *value) {
    VgTb__Value *values[] = { value };
    VgTb__Summary summary = VG_TB__SUMMARY__INIT;
    summary.n_value = 1;
    summary.value = values;
    VgTb__Event event = VG_TB__EVENT__INIT;
    event.has_wall_time = event.has_step = true;
    event.wall_time = vg_os_wall_time();
    event.step = (int64_t)step;
    event.summary = &summary;
    vg_text text = vg_text_new(&self->sink.mem);
    frame_event(&text, &self->arena, &event);
    return write_text(self, file, &text);
}

static char *tag_text(tensorboard_sink *self, const char *tag, const char *suffix) {
    const char *whole = vg_arena_format(&self->arena, "%s%s", tag, suffix);
    return (char *)(uintptr_t)vg_sink_utf8(&self->arena, whole, strlen(whole));   /* protobuf-c only reads it */
}

static bool write_scalar(tensorboard_sink *self, vg_file *file, uint64_t step, const char *tag, const char *suffix,
                         double number) {
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag_text(self, tag, suffix);
    value.has_simple_value = true;
    value.simple_value = (float)number;
    return write_value(self, file, step, &value);
}

/* Whether the tag is the record's kind's; the first kind that comes takes it. */
static bool takes_tag(tensorboard_sink *self, const char *tag, vg_record_kind kind, bool *first) {
    const uint64_t key = vg_hash_bytes(tag, strlen(tag), 0);
    const uint32_t known = vg_map_get(&self->described, key), own = (uint32_t)kind + 1;
    *first = known == 0;
    if (*first) {
        vg_map_put(&self->sink.mem, &self->described, key, own);
    }
    return *first || known == own;
}

/* A tag is shown by one plugin of TensorBoard alone: the second kind of summary of one name gets a name beside it. */
static const char *tag_of(tensorboard_sink *self, const vg_record *record, const char *plugin, bool *first) {
    if (takes_tag(self, record->tag, record->kind, first)) {
        return record->tag;
    }
    const char *tag = vg_arena_format(&self->arena, "%s/%s", record->tag, plugin);
    takes_tag(self, tag, record->kind, first);
    return tag;
}

/* The reader learns from the metadata of a tag's first record which plugin shows it. */
static bool write_tensor(tensorboard_sink *self, const vg_record *record, VgTb__Tensor *tensor, const char *name,
                         int data_class) {
    VgTb__PluginData plugin = VG_TB__PLUGIN_DATA__INIT;
    plugin.plugin_name = (char *)(uintptr_t)name;
    VgTb__Metadata metadata = VG_TB__METADATA__INIT;
    metadata.plugin_data = &plugin;
    metadata.has_data_class = true;
    metadata.data_class = data_class;
    bool first;
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag_text(self, tag_of(self, record, name, &first), "");
    value.tensor = tensor;
    value.metadata = first ? &metadata : NULL;
    return write_value(self, self->file, record->step, &value);
}

/* A tensor [bins, 3]. */
static bool write_bins(tensorboard_sink *self, const vg_record *record, vg_bin *bins, size_t count) {
    VgTb__Dim rows = VG_TB__DIM__INIT, columns = VG_TB__DIM__INIT;
    rows.has_size = columns.has_size = true;
    rows.size = (int64_t)count;
    columns.size = 3;
    VgTb__Dim *dims[] = { &rows, &columns };
    VgTb__Shape shape = VG_TB__SHAPE__INIT;
    shape.n_dim = 2;
    shape.dim = dims;
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = tensor.has_tensor_content = true;
    tensor.dtype = TYPE_DOUBLE;
    tensor.tensor_shape = &shape;
    tensor.tensor_content = (ProtobufCBinaryData){ count * sizeof *bins, (uint8_t *)bins };
    return write_tensor(self, record, &tensor, "histograms", CLASS_TENSOR);
}

static bool write_histogram(tensorboard_sink *self, const vg_record *record) {
    const vg_histogram *h = record->histogram;
    vg_bin bins[VG_BIN_LIMIT];
    const size_t count = vg_bins_of(h, &self->arena, bins);
    const uint64_t lost = h->nans + h->infs;
    return (lost == 0 || write_scalar(self, self->file, record->step, record->tag, "/nonfinite", (double)lost)) &&
           (count == 0 || write_bins(self, record, bins, count));
}

static ProtobufCBinaryData decimal(tensorboard_sink *self, uint32_t number) {
    char *text = vg_arena_format(&self->arena, "%u", number);
    return (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
}

/* A tensor of strings: width, height, and the images as PNG. */
static bool write_images(tensorboard_sink *self, const vg_record *record) {
    const vg_image *image = record->image;
    ProtobufCBinaryData strings[2 + IMAGES] = { decimal(self, image->width), decimal(self, image->height) };
    for (uint32_t i = 0; i < image->count; i++) {
        vg_png png;
        if (!vg_png_make(image, i, &self->arena, &png)) {
            return vg_sink_fail(&self->sink, vg_png_failed);
        }
        strings[2 + i] = (ProtobufCBinaryData){ png.length, png.bytes };
    }
    VgTb__Dim length = VG_TB__DIM__INIT;
    length.has_size = true;
    length.size = 2 + (int64_t)image->count;
    VgTb__Shape shape = VG_TB__SHAPE__INIT;
    shape.n_dim = 1;
    shape.dim = &(VgTb__Dim *){ &length };
    VgTb__Tensor tensor = VG_TB__TENSOR__INIT;
    tensor.has_dtype = true;
    tensor.dtype = TYPE_STRING;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = 2 + image->count;
    tensor.string_val = strings;
    return write_tensor(self, record, &tensor, "images", CLASS_BLOBS);
}

/* events.out.tfevents.SECONDS.HOST.PID.N, N counting until the name is free. 0, or errno. */
static int create_file(tensorboard_sink *self, const char *folder, vg_file **file) {
    int failed = vg_folder_create(folder);
    if (failed) {
        return failed;
    }
    char host[128];
    vg_os_hostname(host, sizeof host);
    const long long now = (long long)vg_os_wall_time();
    for (int n = 0; n < FILES_A_SECOND; n++) {
        const char *path = vg_arena_format(&self->arena, "%s/events.out.tfevents.%010lld.%s.%u.%d", folder, now, host,
                                           (unsigned)vg_os_process(), n);
        failed = vg_file_create(&self->sink.mem, &self->sink.disk, path, true, file);
        if (failed != EEXIST) {
            break;
        }
    }
    return failed;
}

static bool open_test_file(tensorboard_sink *self) {
    const int failed = create_file(self, vg_arena_format(&self->arena, "%s/test", self->folder), &self->test_file);
    if (failed) {
        return vg_sink_fail(&self->sink, vg_sink_reason(failed));
    }
    vg_text text = vg_text_new(&self->sink.mem);
    vg_tensorboard_version(&text, &self->arena, vg_os_wall_time());
    return write_text(self, self->test_file, &text);
}

static bool watch(vg_sink *sink, const vg_record *record) {
    tensorboard_sink *self = (tensorboard_sink *)sink;
    bool first;
    switch (record->kind) {
    case VG_RECORD_SCALAR:
        if (record->test && !self->test_file && !open_test_file(self)) {
            return false;
        }
        return record->test ? write_scalar(self, self->test_file, record->step, record->tag, "", record->value)
             : write_scalar(self, self->file, record->step, tag_of(self, record, "scalars", &first), "", record->value);
    case VG_RECORD_HISTOGRAM:
        return write_histogram(self, record);
    case VG_RECORD_IMAGE:
        return write_images(self, record);
    case VG_RECORD_START:
    case VG_RECORD_EXPECT:
    case VG_RECORD_STEP:
    case VG_RECORD_UNITS:
    case VG_RECORD_RATIO:
    case VG_RECORD_FINDING:
    case VG_RECORD_DONE:
        return true;
    }
    return true;
}

static bool open_file(vg_sink *sink, const void *user) {
    tensorboard_sink *self = (tensorboard_sink *)sink;
    const tensorboard_options *options = user;
    vg_arena_init(&self->arena, &sink->mem);
    char *folder = vg_mem_alloc(&sink->mem, strlen(options->folder) + 1);
    self->folder = strcpy(folder, options->folder);
    const int failed = create_file(self, options->folder, &self->file);
    if (failed) {
        return vg_sink_fail(sink, vg_sink_reason(failed));
    }
    sink->note = options->graph ? vg_tensorboard_graph_missing(options->graph) : NULL;
    vg_text text = vg_text_new(&sink->mem);
    vg_tensorboard_version(&text, &self->arena, vg_os_wall_time());
    const vg_bytes graph = options->graph ? vg_tensorboard_graph(options->graph, &self->arena) : (vg_bytes){ 0 };
    if (graph.length) {
        VgTb__Event event = VG_TB__EVENT__INIT;
        event.has_wall_time = event.has_graph_def = true;
        event.wall_time = vg_os_wall_time();
        event.graph_def = (ProtobufCBinaryData){ graph.length, (uint8_t *)(uintptr_t)graph.bytes };
        frame_event(&text, &self->arena, &event);
    }
    return write_text(self, self->file, &text);
}

static bool close_files(vg_sink *sink) {
    tensorboard_sink *self = (tensorboard_sink *)sink;
    const int failed = vg_file_close(self->file);
    const int test_failed = self->test_file ? vg_file_close(self->test_file) : 0;
    return failed || test_failed ? vg_sink_fail(sink, vg_sink_reason(failed ? failed : test_failed)) : true;
}

static const vg_sink_kind kind = { sizeof(tensorboard_sink), open_file, watch, close_files };

vg_sink *vg_sink_tensorboard(const char *folder, vg_model *model, const char **error) {
    const tensorboard_options options = { folder, model ? &model->unit.graph[1] : NULL };
    return vg_sink_new(&kind, &options, error);
}
