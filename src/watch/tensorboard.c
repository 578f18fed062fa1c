/* TensorBoard's event file: records of protobuf messages, each written whole as it happens, so that a running
 * TensorBoard follows the run. Message by protobuf-c (tensorboard.proto), CRC-32C by ISA-L. */
#include <dirent.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/model.h"
#include "base/map.h"
#include "base/os.h"
#include "watch/png.h"
#include "watch/sink.h"
#include "watch/tensorboard.h"

enum { FILES_A_SECOND = 1000, IMAGES = 8 };

typedef struct tensorboard_sink {
    vg_sink  sink;
    const char *folder;
    const vg_model *model;   /* NULL: nothing is told of it */
    vg_file *file;
    vg_file *test_file;  /* of values over the test split: a run of its own to TensorBoard. NULL until there are any */
    vg_arena arena;      /* for one record */
    bool     later;      /* the folder has event files of an earlier part of this run */
    uint64_t start;      /* the step that this part begins with */
    vg_map   described;  /* hash of a tag -> the kind of its records + 1: its metadata is written */
} tensorboard_sink;

typedef struct tensorboard_options { const char *folder; const vg_model *model; } tensorboard_options;

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

void vg_tensorboard_event(vg_text *out, vg_arena *arena, const VgTb__Event *event) {
    uint8_t *packed = vg_arena_alloc(arena, vg_tb__event__get_packed_size(event));
    vg_tensorboard_frame(out, packed, vg_tb__event__pack(event, packed));
}

void vg_tensorboard_version(vg_text *out, vg_arena *arena, double wall_time) {
    char version[] = "brain.Event:2";
    VgTb__Event event = VG_TB__EVENT__INIT;
    event.has_wall_time = true;
    event.wall_time = wall_time;
    event.file_version = version;
    vg_tensorboard_event(out, arena, &event);
}

void vg_tensorboard_value(vg_text *out, vg_arena *arena, double wall_time, uint64_t step, VgTb__Value *value) {
    VgTb__Value *values[] = { value };
    VgTb__Summary summary = VG_TB__SUMMARY__INIT;
    summary.n_value = 1;
    summary.value = values;
    VgTb__Event event = VG_TB__EVENT__INIT;
    event.has_wall_time = event.has_step = true;
    event.wall_time = wall_time;
    event.step = (int64_t)step;
    event.summary = &summary;
    vg_tensorboard_event(out, arena, &event);
}

/* What is appended together is one write. */
static bool write_text(tensorboard_sink *self, vg_file *file, vg_text *text) {
    const int failed = vg_file_write(file, text->text, text->length);
    vg_text_free(text);
    vg_arena_release(&self->arena);
    return failed ? vg_sink_fail(&self->sink, vg_sink_reason(failed)) : true;
}

static bool write_value(tensorboard_sink *self, vg_file *file, uint64_t step, VgTb__Value *value) {
    vg_text text = vg_text_new(&self->sink.mem);
    vg_tensorboard_value(&text, &self->arena, vg_os_wall_time(), step, value);
    return write_text(self, file, &text);
}

static char *tag_text(tensorboard_sink *self, const char *tag, const char *suffix) {
    const char *whole = vg_arena_format(&self->arena, "%s%s", tag, suffix);
    return (char *)(uintptr_t)vg_sink_utf8(&self->arena, whole, strlen(whole));   /* protobuf-c only reads it */
}

/* exact: what the float does not tell; NULL: nothing. */
static bool write_scalar(tensorboard_sink *self, vg_file *file, uint64_t step, char *tag, double number,
                         VgTb__Exact *exact) {
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag;
    value.has_simple_value = true;
    value.simple_value = (float)number;
    value.exact = exact;
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

/* The tag's place in the exact message, where the tag is not the record's own. */
static char *own_tag(tensorboard_sink *self, const vg_record *record, const char *tag) {
    return tag == record->tag ? NULL : tag_text(self, record->tag, "");
}

/* The reader learns from the metadata of a tag's first record which plugin shows it. */
static bool write_tensor(tensorboard_sink *self, const vg_record *record, VgTb__Tensor *tensor, const char *name,
                         int data_class, VgTb__Exact *exact) {
    VgTb__PluginData plugin = VG_TB__PLUGIN_DATA__INIT;
    plugin.plugin_name = (char *)(uintptr_t)name;
    VgTb__Metadata metadata = VG_TB__METADATA__INIT;
    metadata.plugin_data = &plugin;
    metadata.has_data_class = true;
    metadata.data_class = data_class;
    bool first;
    const char *tag = tag_of(self, record, name, &first);
    VgTb__Value value = VG_TB__VALUE__INIT;
    value.tag = tag_text(self, tag, "");
    value.tensor = tensor;
    value.metadata = first ? &metadata : NULL;
    value.exact = exact;
    exact->tag = own_tag(self, record, tag);
    return write_value(self, self->file, record->step, &value);
}

/* A tensor [bins, 3]. */
static bool write_bins(tensorboard_sink *self, const vg_record *record, vg_bin *bins, size_t count,
                       VgTb__Exact *exact) {
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
    tensor.dtype = VG_TENSORBOARD_DOUBLE;
    tensor.tensor_shape = &shape;
    tensor.tensor_content = (ProtobufCBinaryData){ count * sizeof *bins, (uint8_t *)bins };
    return write_tensor(self, record, &tensor, "histograms", VG_TENSORBOARD_CLASS_TENSOR, exact);
}

static bool write_histogram(tensorboard_sink *self, const vg_record *record) {
    const vg_histogram *h = record->histogram;
    vg_bin bins[VG_BIN_LIMIT];
    const size_t count = vg_bins_of(h, &self->arena, bins);
    const uint64_t lost = h->nans + h->infs;
    VgTb__Exact exact = VG_TB__EXACT__INIT;
    exact.has_count = exact.has_zeros = exact.has_nans = exact.has_infs = true;
    exact.has_mean = exact.has_std = exact.has_rms = true;
    exact.count = h->count;
    exact.zeros = h->zeros;
    exact.nans = h->nans;
    exact.infs = h->infs;
    exact.mean = h->mean;
    exact.std = h->std;
    exact.rms = h->rms;
    if (lost) {
        exact.tag = tag_text(self, record->tag, "");
        if (!write_scalar(self, self->file, record->step, tag_text(self, record->tag, "/nonfinite"), (double)lost,
                          &exact)) {
            return false;
        }
    }
    return count == 0 || write_bins(self, record, bins, count, &exact);
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
    tensor.dtype = VG_TENSORBOARD_STRING;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = 2 + image->count;
    tensor.string_val = strings;
    VgTb__Exact exact = VG_TB__EXACT__INIT;
    exact.has_min = exact.has_max = true;
    exact.min = image->min;
    exact.max = image->max;
    return write_tensor(self, record, &tensor, "images", VG_TENSORBOARD_CLASS_BLOBS, &exact);
}

/* ---- files */

/* The seconds in the names of the folder's event files, the latest; -1: it has none. */
static long long latest_file(const char *folder) {
    static const char prefix[] = VG_TENSORBOARD_PREFIX;
    long long latest = -1;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        const long long seconds = strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0
                                ? strtoll(entry->d_name + sizeof prefix - 1, NULL, 10) : -1;
        latest = seconds > latest ? seconds : latest;
    }
    if (directory) {
        closedir(directory);
    }
    return latest;
}

/* events.out.tfevents.SECONDS.HOST.PID.N, N counting until the name is free. Files are read in the order of their
 * names: one that is later than others says so, whatever the clock does. *later: there are others. 0, or errno. */
static int create_file(tensorboard_sink *self, const char *folder, vg_file **file, bool *later) {
    int failed = vg_folder_create(folder);
    if (failed) {
        return failed;
    }
    char host[128];
    vg_os_hostname(host, sizeof host);
    const long long latest = latest_file(folder), clock = (long long)vg_os_wall_time();
    const long long now = clock > latest ? clock : latest + 1;
    *later = latest >= 0;
    for (int n = 0; n < FILES_A_SECOND; n++) {
        const char *path = vg_arena_format(&self->arena, "%s/" VG_TENSORBOARD_PREFIX "%010lld.%s.%u.%d", folder, now, host,
                                           (unsigned)vg_os_process(), n);
        failed = vg_file_create(&self->sink.mem, &self->sink.disk, path, true, file);
        if (failed != EEXIST) {
            break;
        }
    }
    return failed;
}

/* From here on what earlier files have of this step and behind it counts no more. */
static bool write_start(tensorboard_sink *self, vg_file *file) {
    enum { START = 1 };
    VgTb__SessionLog log = VG_TB__SESSION_LOG__INIT;
    VgTb__Event event = VG_TB__EVENT__INIT;
    log.has_status = event.has_wall_time = event.has_step = true;
    log.status = START;
    event.wall_time = vg_os_wall_time();
    event.step = (int64_t)self->start;
    event.session_log = &log;
    vg_text text = vg_text_new(&self->sink.mem);
    vg_tensorboard_event(&text, &self->arena, &event);
    return write_text(self, file, &text);
}

static bool open_test_file(tensorboard_sink *self) {
    const char *folder = vg_arena_format(&self->arena, "%s/test", self->folder);
    bool later = false;
    const int failed = create_file(self, folder, &self->test_file, &later);
    if (failed) {
        return vg_sink_fail(&self->sink, vg_sink_reason(failed));
    }
    vg_text text = vg_text_new(&self->sink.mem);
    vg_tensorboard_version(&text, &self->arena, vg_os_wall_time());
    return write_text(self, self->test_file, &text) && (!later || write_start(self, self->test_file));
}

/* A float32 NaN is as good as any. */
static bool write_number(tensorboard_sink *self, const vg_record *record) {
    if (record->test && !self->test_file && !open_test_file(self)) {
        return false;
    }
    bool first;
    const char *tag = record->test ? record->tag : tag_of(self, record, "scalars", &first);
    VgTb__Exact exact = VG_TB__EXACT__INIT;
    exact.tag = own_tag(self, record, tag);
    exact.has_value = !isnan(record->value) && (double)(float)record->value != record->value;
    exact.value = record->value;
    return write_scalar(self, record->test ? self->test_file : self->file, record->step, tag_text(self, tag, ""),
                        record->value, exact.tag || exact.has_value ? &exact : NULL);
}

static bool write_end(tensorboard_sink *self, vg_status status) {
    vg_text text = vg_text_new(&self->sink.mem);
    if (self->model) {
        vg_tensorboard_model_end(&text, &self->arena, self->model, status, vg_os_wall_time());
    }
    return text.length == 0 || write_text(self, self->file, &text);
}

static bool watch(vg_sink *sink, const vg_record *record) {
    tensorboard_sink *self = (tensorboard_sink *)sink;
    switch (record->kind) {
    case VG_RECORD_SCALAR:
        return write_number(self, record);
    case VG_RECORD_HISTOGRAM:
        return write_histogram(self, record);
    case VG_RECORD_IMAGE:
        return write_images(self, record);
    case VG_RECORD_START:
        self->start = record->step + (record->step >= record->steps);      /* what was recorded at the end stays */
        return !self->later || write_start(self, self->file);
    case VG_RECORD_EXPECT:
    case VG_RECORD_CHECKPOINT:
    case VG_RECORD_STEP:
    case VG_RECORD_UNITS:
    case VG_RECORD_RATIO:
    case VG_RECORD_FINDING:
        return true;
    case VG_RECORD_DONE:
        return write_end(self, record->status);
    }
    return true;
}

/* What comes before the first step: the version, the graph, the model. */
static void add_head(tensorboard_sink *self, vg_text *text, double wall_time) {
    vg_tensorboard_version(text, &self->arena, wall_time);
    if (!self->model) {
        return;
    }
    const vg_bytes graph = vg_tensorboard_graph(&self->model->unit.graph[1], &self->arena);
    if (graph.length) {
        VgTb__Event event = VG_TB__EVENT__INIT;
        event.has_wall_time = event.has_graph_def = true;
        event.wall_time = wall_time;
        event.graph_def = (ProtobufCBinaryData){ graph.length, (uint8_t *)(uintptr_t)graph.bytes };
        vg_tensorboard_event(text, &self->arena, &event);
    }
    const char *slash = strrchr(self->folder, '/');
    vg_tensorboard_model(text, &self->arena, self->model, slash ? slash + 1 : self->folder, wall_time);
}

/* Their tags are no summary's. */
static void take_model_tags(tensorboard_sink *self) {
    static const char *const tags[] = { VG_TENSORBOARD_MODEL_TAG, VG_TENSORBOARD_START_TAG, VG_TENSORBOARD_END_TAG };
    bool first;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        takes_tag(self, tags[i], VG_RECORD_START, &first);
    }
}

static bool open_file(vg_sink *sink, const void *user) {
    tensorboard_sink *self = (tensorboard_sink *)sink;
    const tensorboard_options *options = user;
    vg_arena_init(&self->arena, &sink->mem);
    char *folder = vg_mem_alloc(&sink->mem, strlen(options->folder) + 1);
    self->folder = strcpy(folder, options->folder);
    self->model = options->model;
    const int failed = create_file(self, options->folder, &self->file, &self->later);
    if (failed) {
        return vg_sink_fail(sink, vg_sink_reason(failed));
    }
    sink->note = self->model ? vg_tensorboard_graph_missing(&self->model->unit.graph[1]) : NULL;
    take_model_tags(self);
    vg_text text = vg_text_new(&sink->mem);
    add_head(self, &text, vg_os_wall_time());
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
    const tensorboard_options options = { folder, model };
    return vg_sink_new(&kind, &options, error);
}
