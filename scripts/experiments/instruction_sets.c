/* Writes a bundle's outputs on seeded random inputs, with one instruction set: everything of an output by its bytes.
 * Usage: instruction_sets WEIGHTS KERNELS COUNT SEED > OUTPUTS; compiled with -DNET(x)=NAME_##x beside the bundle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* splitmix64 (Steele et al. 2014): the same numbers on every machine. */
static uint64_t next(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

/* Normalised pixels lie in [-2.5, 2.5] or so; some inputs go well beyond what calibration saw. */
static void fill(const NET(tensor) * t, char* to, uint64_t* state) {
  const float reach = (next(state) & 7) == 0 ? 8.0f : 2.5f;
  for (size_t i = 0; i < t->bytes; ++i) {
    if (strcmp(t->type, "f32") != 0) {
      to[i] = (char)(next(state) >> 56);
    } else if (i % 4 == 0) {
      const float value = ((float)(next(state) >> 40) / 8388608.0f - 1.0f) * reach;
      memcpy(to + i, &value, 4);
    }
  }
}

static void* allocate(size_t bytes) {
  void* memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (memory == NULL) exit(2);
  return memory;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const size_t weights_bytes = NET(weights_bytes)();
  void* weights = allocate(weights_bytes);
  FILE* file = fopen(argv[1], "rb");
  if (file == NULL || fread(weights, 1, weights_bytes, file) != weights_bytes) {
    fprintf(stderr, "%s: cannot read %zu bytes\n", argv[1], weights_bytes);
    return 2;
  }
  fclose(file);
  const char* error = NULL;
  NET(model)* model = NET(init)(allocate(NET(memory_bytes)()), NET(memory_bytes)(), weights,
                                weights_bytes, argv[2], &error);
  if (model == NULL) {
    fprintf(stderr, "%s: %s\n", argv[2], error);
    return 3;
  }
  void* inputs[8];
  void* outputs[8];
  for (int i = 0; i < NET(input_count)(); ++i) inputs[i] = allocate(NET(input)(i)->bytes);
  for (int i = 0; i < NET(output_count)(); ++i) outputs[i] = allocate(NET(output)(i)->bytes);
  uint64_t state = strtoull(argv[4], NULL, 10);
  for (int n = atoi(argv[3]); n > 0; --n) {
    for (int i = 0; i < NET(input_count)(); ++i) fill(NET(input)(i), inputs[i], &state);
    NET(run)(model, (const void* const*)inputs, outputs);
    for (int i = 0; i < NET(output_count)(); ++i) fwrite(outputs[i], 1, NET(output)(i)->bytes, stdout);
  }
  return 0;
}
