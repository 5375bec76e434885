/* Runs the golden cases on every instruction set that this processor has, and compares.
 * Usage: selftest [FOLDER], the folder with weights.bin and golden.bin. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static char* read_file(const char* folder, const char* name, size_t* bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "%s: cannot open\n", path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  char* data = (char*)aligned_alloc(64, (*bytes + 127) / 64 * 64);
  if (data == NULL || fread(data, 1, *bytes, file) != *bytes) {
    fprintf(stderr, "%s: cannot read\n", path);
    exit(2);
  }
  fclose(file);
  return data;
}

/* Integers must be equal; floats may differ by a share of the largest element of their tensor. */
static int same(const XGEN_MODEL(tensor) * t, const char* got, const char* want) {
  if (strcmp(t->type, "f32") != 0) return memcmp(got, want, t->bytes) == 0;
  float largest = 0;
  for (size_t i = 0; i < t->bytes / 4; ++i) {
    float b;
    memcpy(&b, want + 4 * i, 4);
    largest = fabsf(b) > largest ? fabsf(b) : largest;
  }
  for (size_t i = 0; i < t->bytes / 4; ++i) {
    float a, b;
    memcpy(&a, got + 4 * i, 4);
    memcpy(&b, want + 4 * i, 4);
    if (!(fabsf(a - b) <= XGEN_TOLERANCE * largest)) {
      fprintf(stderr, "%s[%zu]: expected %g, got %g\n", t->name, i, (double)b, (double)a);
      return 0;
    }
  }
  return 1;
}

/* The exact results of integer layers need one rounding a multiplication: a compiler that contracts
 * is found out here. */
static int contracts(volatile float a, volatile float b, volatile float c) {
  const float product = a * b, sum = product + c;
  volatile float kept = product;
  return sum != kept + c;
}

int main(int argc, char** argv) {
  const char* folder = argc > 1 ? argv[1] : ".";
  size_t weight_bytes, golden_bytes;
  char* weights = read_file(folder, "weights.bin", &weight_bytes);
  char* golden = read_file(folder, "golden.bin", &golden_bytes);
  if (contracts(1.0f + 1.1920929e-07f, 1.0f - 5.9604645e-08f, -1.0f)) {
    fprintf(stderr,
            "this build contracts floating-point expressions: use -std=c11 -ffp-contract=off\n");
    return 1;
  }
  static const char* const sets[] = {XGEN_KERNEL_SETS};
  int failed = 0, ran = 0;
  for (size_t s = 0; s < sizeof sets / sizeof *sets; ++s) {
    void* memory = aligned_alloc(64, (XGEN_MODEL(memory_bytes)() + 63) / 64 * 64);
    const char* error = NULL;
    XGEN_MODEL(model)* model = XGEN_MODEL(init)(memory, XGEN_MODEL(memory_bytes)(), weights,
                                                weight_bytes, sets[s], &error);
    if (model == NULL) {
      printf("%-16s skipped: not on this processor\n", sets[s]);
      free(memory);
      continue;
    }
    const char* at = golden;
    int cases = 0, wrong = 0;
    while (at < golden + golden_bytes) {
      const void* inputs[XGEN_INPUTS];
      void* outputs[XGEN_OUTPUTS];
      for (int i = 0; i < XGEN_INPUTS; ++i) {
        inputs[i] = at;
        at += (XGEN_MODEL(input)(i)->bytes + 63) / 64 * 64;
      }
      for (int i = 0; i < XGEN_OUTPUTS; ++i)
        outputs[i] = calloc(1, XGEN_MODEL(output)(i)->bytes + 64);
      XGEN_MODEL(run)(model, inputs, outputs);
      int ok = 1;
      for (int i = 0; i < XGEN_OUTPUTS; ++i) {
        ok = same(XGEN_MODEL(output)(i), (const char*)outputs[i], at) && ok;
        at += (XGEN_MODEL(output)(i)->bytes + 63) / 64 * 64;
        free(outputs[i]);
      }
      ++cases;
      wrong += !ok;
    }
    printf("%-16s %d of %d cases right\n", sets[s], cases - wrong, cases);
    failed += wrong;
    ++ran;
    free(memory);
  }
  free(weights);
  free(golden);
  if (ran == 0) fprintf(stderr, "no kernels of this bundle run on this processor\n");
  return failed == 0 && ran > 0 ? 0 : 1;
}
