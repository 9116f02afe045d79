/* Inverted dropout in C: an example of a plug-in.
 *
 *   cc -std=c99 -O2 -shared -fPIC -o libdropout_c.so dropout.c
 *   dropcheck verify lib:./libdropout_c.so
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dropcheck_plugin.h"

typedef struct layer {
  double drop;
  uint64_t seed;
  uint64_t calls;
  uint64_t key; /* of the latest mask, which backward draws again */
  int dropped;  /* whether it dropped anything */
} layer;

static int32_t fail(dropcheck_message* message, int32_t status,
                    const char* why) {
  snprintf(message->text, message->room, "%s", why);
  return status;
}

/* splitmix64 of (seed, call, index): no state beside the two numbers. */
static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static int64_t count_of(const DLTensor* tensor) {
  int64_t count = 1;
  for (int axis = 0; axis < tensor->ndim; ++axis) count *= tensor->shape[axis];
  return count;
}

static const char* describe(void) {
  return "{\"name\": \"dropout.c\", \"version\": \"1\", \"layer\": \"dropout\","
         " \"dtypes\": [\"f32\", \"f64\"], \"variants\": [{\"in_place\": "
         "true}],"
         " \"generator\": \"splitmix64\"}";
}

static int32_t create(const char* config, void** result,
                      dropcheck_message* message) {
  const char* key = "\"drop_probability\":\"";
  const char* value = strstr(config, key);
  if (value == NULL) {
    return fail(message, DROPCHECK_FAILED, "no drop_probability");
  }
  const double drop = strtod(value + strlen(key), NULL); /* reads NaN too */
  if (!(drop >= 0 && drop <= 1)) {
    return fail(message, DROPCHECK_REFUSED, "p must be in [0, 1]");
  }
  layer* made = calloc(1, sizeof *made);
  if (made == NULL) return fail(message, DROPCHECK_FAILED, "no memory");
  made->drop = drop;
  made->seed = mix((uint64_t)(uintptr_t)made) ^ mix((uint64_t)clock());
  *result = made;
  return DROPCHECK_OK;
}

/* Keeps element i where its 53 random bits are at least drop. */
static int keeps(const layer* self, int64_t i) {
  const uint64_t bits = mix(self->key + (uint64_t)i * 0x9E3779B97F4A7C15u);
  return !self->dropped || (double)(bits >> 11) * 0x1p-53 >= self->drop;
}

static void multiply(const layer* self, const DLTensor* from, DLTensor* to) {
  const int64_t count = count_of(from);
  const double scale = self->drop < 1 ? 1 / (1 - self->drop) : 0;
  for (int64_t i = 0; i < count; ++i) {
    const int kept = keeps(self, i);
    const double factor = self->dropped ? scale : 1;
    if (from->dtype.bits == 32) {
      const float x = ((const float*)from->data)[i];
      ((float*)to->data)[i] = kept ? (float)(x * factor) : 0;
    } else {
      const double x = ((const double*)from->data)[i];
      ((double*)to->data)[i] = kept ? x * factor : 0;
    }
  }
}

static int32_t forward(void* self, const DLTensor* input, int32_t training,
                       DLTensor* output, dropcheck_message* message) {
  layer* me = self;
  (void)message;
  me->dropped = training && me->drop > 0;
  if (me->dropped) me->key = mix(me->seed) ^ mix(~me->calls++);
  multiply(me, input, output);
  return DROPCHECK_OK;
}

/* As forward; the caller compares the mask with what forward did. */
static int32_t forward_with_mask(void* self, const DLTensor* input,
                                 int32_t training, DLTensor* output,
                                 DLTensor* mask, dropcheck_message* message) {
  const int32_t status = forward(self, input, training, output, message);
  const int64_t count = count_of(mask);
  for (int64_t i = 0; i < count; ++i) {
    ((uint8_t*)mask->data)[i] = (uint8_t)keeps(self, i);
  }
  return status;
}

static int32_t backward(void* self, const DLTensor* grad_output,
                        DLTensor* grad_input, dropcheck_message* message) {
  (void)message;
  multiply(self, grad_output, grad_input);
  return DROPCHECK_OK;
}

static int32_t reseed(void* self, uint64_t seed, dropcheck_message* message) {
  layer* me = self;
  (void)message;
  me->seed = seed;
  me->calls = 0;
  return DROPCHECK_OK;
}

static void destroy(void* self) { free(self); }

static const dropcheck_plugin plugin = {DROPCHECK_PLUGIN_ABI,
                                        sizeof(dropcheck_plugin),
                                        describe,
                                        create,
                                        forward,
                                        backward,
                                        reseed,
                                        destroy,
                                        forward_with_mask};

const dropcheck_plugin* dropcheck_plugin_get(uint32_t index) {
  return index == 0 ? &plugin : NULL;
}
