/* A dropout layer in a shared library, for dropcheck to verify.
 *
 *     dropcheck verify lib:./libmine.so
 *
 * C99 and DLPack (0.6 or newer) are all it needs. A library exports one
 * function, dropcheck_plugin_get, which returns its layers; see the examples.
 *
 * Rules
 *   - Nobody frees what the other side allocated, no exception crosses.
 *   - Every function but dropcheck_plugin_get, describe and destroy returns a
 *     status and, unless that is DROPCHECK_OK, writes why into `message`.
 *   - Tensors are lent for one call and lie in the memory of the CPU;
 *     byte_offset is 0. Inputs are compact and row-major unless describe says
 *     otherwise, results always. For ndim 0 shape and strides may be NULL.
 *   - Calls of one layer come one after another. Layers may be called on
 *     several threads, each layer on its own.
 *   - What is printed on standard output during a call is a finding.
 */
#ifndef DROPCHECK_PLUGIN_H
#define DROPCHECK_PLUGIN_H

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes where a library built for another version could not be called. */
#define DROPCHECK_PLUGIN_ABI 1u

/* Statuses. */
#define DROPCHECK_OK 0
/* The layer refuses the request, as PyTorch does p = 1.5: often right. */
#define DROPCHECK_REFUSED 1
/* The layer does not have what is asked for, and does not claim to. */
#define DROPCHECK_NOT_SUPPORTED 2
/* The adapter is broken, not the layer: out of memory, no device. */
#define DROPCHECK_FAILED 3

/* Where a function says why: `room` bytes at `text`, the last of them for the
 * final zero. It holds an empty string at first. */
typedef struct dropcheck_message {
  char* text;
  size_t room;
} dropcheck_message;

/* One kind of layer. Functions that are NULL are not supported. */
typedef struct dropcheck_plugin {
  uint32_t abi;  /* DROPCHECK_PLUGIN_ABI */
  uint32_t size; /* sizeof(dropcheck_plugin); later members come behind */

  /* What the layer is, as a JSON object in UTF-8 that lives as long as the
   * library. All but layer and dtypes may be left out; unknown keys are errors.
   *
   *   "layer"         the law: "dropout2d"; see dropcheck list layers
   *   "dtypes"        ["f32", "f64", "f16", "bf16"], those it takes
   *   "name", "version", "summary", "generator"     text for the report
   *   "own_state"     false: layers share a generator (default true)
   *   "strides"       of inputs: "compact" (default), "non-negative", "any"
   *   "options"       {"at_one": "error", ...}: see PROTOCOL.md
   *   "recipe"        how masks follow from a seed: see README.md, Recipes
   *   "variants"      [{"in_place": true}, ...]: configurations to verify too
   *   "spatial_axes"  of channel layers, where it is not the law's number */
  const char* (*describe)(void);

  /* Makes a layer from a configuration, the JSON object of PROTOCOL.md:
   *   {"layer": "dropout", "drop_probability": "0.1", "dtype": "f32",
   *    "in_place": false, "channels_last": false, "scale_by_keep": true,
   *    "shared_axes": [], "samples": 0}
   * drop_probability may be "1.5", "NaN", "Infinity". */
  int32_t (*create)(const char* config, void** layer,
                    dropcheck_message* message);

  /* One call. `output` has the shape of the law's output and the input's dtype;
   * with in_place it is the input. */
  int32_t (*forward)(void* layer, const DLTensor* input, int32_t training,
                     DLTensor* output, dropcheck_message* message);

  /* The gradient of the latest forward. May be NULL. */
  int32_t (*backward)(void* layer, const DLTensor* grad_output,
                      DLTensor* grad_input, dropcheck_message* message);

  /* Sets the random state: the same seed, the same masks. May be NULL. */
  int32_t (*reseed)(void* layer, uint64_t seed, dropcheck_message* message);

  void (*destroy)(void* layer);

  /* forward, and which elements were kept: `mask` is uint8, of the shape of
   * `output`, 1 for kept and 0 for dropped (all 1 at evaluation). It is
   * compared with what was done. May be NULL, or beyond `size`. */
  int32_t (*forward_with_mask)(void* layer, const DLTensor* input,
                               int32_t training, DLTensor* output,
                               DLTensor* mask, dropcheck_message* message);
} dropcheck_plugin;

/* Exported by the library: its layer number `index`, counted from 0, or NULL
 * behind the last one. The struct lives as long as the library. */
#if defined(_WIN32)
#define DROPCHECK_EXPORT __declspec(dllexport)
#else
#define DROPCHECK_EXPORT __attribute__((visibility("default")))
#endif
DROPCHECK_EXPORT const dropcheck_plugin* dropcheck_plugin_get(uint32_t index);

#ifdef __cplusplus
}
#endif

#endif /* DROPCHECK_PLUGIN_H */
