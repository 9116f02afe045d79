/* A plug-in that is wrong in the way that $BAD_PLUGIN names. */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dropcheck_plugin.h"

static int mode_is(const char* name) {
  const char* mode = getenv("BAD_PLUGIN");
  return mode != NULL && strcmp(mode, name) == 0;
}

__attribute__((constructor)) static void begin(void) {
  if (mode_is("abort_at_load")) abort();
}

static const char* describe(void) {
  if (mode_is("no_json")) return "{\"layer\": NaN}";
  if (mode_is("array")) return "[]";
  if (mode_is("unknown_key")) {
    return "{\"layer\": \"dropout\", \"momentum\": 0.9}";
  }
  if (mode_is("null_description")) return NULL;
  if (mode_is("no_layer")) return "{\"dtypes\": [\"f32\"]}";
  if (mode_is("unknown_layer")) return "{\"layer\": \"dropuot\"}";
  if (mode_is("unknown_dtype")) {
    return "{\"layer\": \"dropout\", \"dtypes\": [\"f8\"]}";
  }
  if (mode_is("lies_about_strides")) {
    return "{\"layer\": \"dropout\", \"dtypes\": [\"f32\"], \"strides\": "
           "\"non-negative\"}";
  }
  return "{\"layer\": \"dropout\", \"dtypes\": [\"f32\"]}";
}

static int32_t create(const char* config, void** layer,
                      dropcheck_message* message) {
  (void)config;
  (void)message;
  *layer = malloc(1);
  return DROPCHECK_OK;
}

static void use_memory_forever(void) {
  const size_t size = (size_t)16 << 20;
  for (;;) {
    char* memory = malloc(size);
    if (memory != NULL) memset(memory, 1, size);
    usleep(2000);
  }
}

static int32_t misbehave(float* x, float* y, size_t count,
                         dropcheck_message* message) {
  if (mode_is("crash")) {
    signal(SIGSEGV, SIG_DFL); /* sanitizers would make it an exit */
    raise(SIGSEGV);
  }
  if (mode_is("abort")) {
    fprintf(stderr, "assertion failed: mask\n");
    abort();
  }
  if (mode_is("exit")) exit(3);
  if (mode_is("hang")) sleep(3600);
  if (mode_is("memory")) use_memory_forever();
  if (mode_is("writes_past_end")) y[count] = 1;
  if (mode_is("writes_before_begin")) y[-1] = 1;
  if (mode_is("writes_past_message")) {
    memset(message->text, 'x', message->room + 8);
    return DROPCHECK_REFUSED;
  }
  if (mode_is("changes_input")) x[0] += 1;
  if (mode_is("prints")) printf("mask has %zu bits\n", count);
  if (mode_is("unknown_status")) return 17;
  if (mode_is("fails")) {
    snprintf(message->text, message->room, "no device");
    return DROPCHECK_FAILED;
  }
  return DROPCHECK_OK;
}

static int32_t forward(void* layer, const DLTensor* input, int32_t training,
                       DLTensor* output, dropcheck_message* message) {
  const size_t few = 64; /* small inputs get through */
  size_t count = 1;
  (void)layer;
  (void)training;
  for (int axis = 0; axis < input->ndim; ++axis) {
    count *= (size_t)input->shape[axis];
  }
  memcpy(output->data, input->data, count * sizeof(float));
  if (count < few) return DROPCHECK_OK;
  return misbehave(input->data, output->data, count, message);
}

static int32_t forward_with_mask(void* layer, const DLTensor* input,
                                 int32_t training, DLTensor* output,
                                 DLTensor* mask, dropcheck_message* message) {
  size_t count = 1;
  for (int axis = 0; axis < mask->ndim; ++axis) {
    count *= (size_t)mask->shape[axis];
  }
  if (!mode_is("mask_unwritten")) memset(mask->data, 1, count);
  if (mode_is("mask_past_end")) ((uint8_t*)mask->data)[count] = 0;
  return forward(layer, input, training, output, message);
}

static void destroy(void* layer) { free(layer); }

const dropcheck_plugin* dropcheck_plugin_get(uint32_t index) {
  static dropcheck_plugin plugin;
  plugin.abi = DROPCHECK_PLUGIN_ABI + (mode_is("other_version") ? 1 : 0);
  plugin.size = mode_is("short_struct") ? 24 : sizeof plugin;
  plugin.describe = describe;
  plugin.create = create;
  plugin.forward = mode_is("no_forward") ? NULL : forward;
  plugin.destroy = destroy;
  plugin.forward_with_mask =
      mode_is("mask_unwritten") || mode_is("mask_past_end") ? forward_with_mask
                                                            : NULL;
  return index == 0 && !mode_is("empty") ? &plugin : NULL;
}
