/* Times the model and each of its steps, and prints JSON, which `xgen-train latency build --from`
 * reads. Usage: bench [FOLDER [RUNS [KERNELS]]]. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

/* Adds what /proc/cpuinfo says under a key of the first processor, after a word. */
static void add_cpu_info(const char* key, const char* word, char* name, size_t size) {
  FILE* info = fopen("/proc/cpuinfo", "r");
  char line[512];
  while (info != NULL && fgets(line, sizeof line, info) != NULL && line[0] != '\n') {
    const size_t n = strlen(key);
    if (strncmp(line, key, n) != 0) continue;
    const char* value = line + n + strspn(line + n, " \t");
    if (*value++ != ':') continue;
    value += strspn(value, " \t");
    const size_t used = strlen(name);
    snprintf(name + used, size - used, "%s%s%.*s", used > 0 ? ", " : "", word,
             (int)strcspn(value, "\n"), value);
    break;
  }
  if (info != NULL) fclose(info);
}

/* What the processor calls itself, without what JSON would need escaped. */
static void cpu_name(char* name, size_t size) {
  /* Chips of one name differ by their numbers; on ARM there are numbers alone. */
  static const char* const keys[][2] = {{"model name", ""},
                                        {"cpu family", "family "},
                                        {"model", "model "},
                                        {"CPU implementer", "CPU implementer "},
                                        {"CPU part", "part "}};
  name[0] = 0;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
    add_cpu_info(keys[i][0], keys[i][1], name, size);
  }
  if (name[0] == 0) snprintf(name, size, "unknown");
  for (char* c = name; *c != 0; ++c) {
    if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = '_';
  }
}

#ifdef __clang__
#define XGEN_COMPILER __VERSION__
#else
#define XGEN_COMPILER "gcc " __VERSION__
#endif

int main(int argc, char** argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s/weights.bin", argc > 1 ? argv[1] : ".");
  const int runs = argc > 2 && atoi(argv[2]) > 0 ? atoi(argv[2]) : 50;
  const size_t weight_bytes = XGEN_MODEL(weights_bytes)(),
               memory_bytes = XGEN_MODEL(memory_bytes)();
  void* weights = aligned_alloc(64, (weight_bytes + 127) / 64 * 64);
  FILE* file = fopen(path, "rb");
  if (file == NULL || weights == NULL || fread(weights, 1, weight_bytes, file) != weight_bytes) {
    fprintf(stderr, "%s: cannot read %zu bytes\n", path, weight_bytes);
    return 2;
  }
  fclose(file);
  void* memory = aligned_alloc(64, (memory_bytes + 63) / 64 * 64);
  const char* error = NULL;
  XGEN_MODEL(model)* model = XGEN_MODEL(init)(memory, memory_bytes, weights, weight_bytes,
                                              argc > 3 ? argv[3] : NULL, &error);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error);
    return 2;
  }
  const void* inputs[XGEN_INPUTS];
  void* outputs[XGEN_OUTPUTS];
  for (int i = 0; i < XGEN_INPUTS; ++i) inputs[i] = calloc(1, XGEN_MODEL(input)(i)->bytes + 64);
  for (int i = 0; i < XGEN_OUTPUTS; ++i) outputs[i] = calloc(1, XGEN_MODEL(output)(i)->bytes + 64);
  const int steps = XGEN_MODEL(step_count)();
  double* total = (double*)malloc(sizeof(double) * (size_t)runs);
  double* each = (double*)malloc(sizeof(double) * (size_t)runs * (size_t)steps);
  for (int r = -3; r < runs; ++r) {
    const double start = now_ms();
    XGEN_MODEL(run)(model, inputs, outputs);
    if (r >= 0) total[r] = now_ms() - start;
  }
  for (int r = 0; r < runs; ++r) {
    for (int s = 0; s < steps; ++s) {
      const double start = now_ms();
      XGEN_MODEL(run_step)(model, s, inputs, outputs);
      each[s * runs + r] = now_ms() - start;
    }
  }
  qsort(total, (size_t)runs, sizeof(double), ascending);
  static const char* const sets[] = {XGEN_KERNEL_SETS};
  const char* kernels = XGEN_MODEL(kernels_name)(model);
  int set = 0;
  while (strcmp(sets[set], kernels) != 0) ++set;
  char cpu[256];
  cpu_name(cpu, sizeof cpu);
  printf("{\"format\": \"xgen bench 3\", \"target\": \"" XGEN_TARGET
         "\", \"kernels\": \"%s\", \"cpu\": \"%s\", \"compiler\": \"" XGEN_COMPILER
         "\",\n \"runs\": %d, \"median_ms\": %.6f, \"min_ms\": %.6f, \"p95_ms\": "
         "%.6f, \"steps\": [\n",
         kernels, cpu, runs, total[runs / 2], total[0], total[runs * 95 / 100]);
  for (int s = 0; s < steps; ++s) {
    qsort(each + s * runs, (size_t)runs, sizeof(double), ascending);
    printf("  {\"name\": \"%s\", \"median_ms\": %.6f, \"min_ms\": %.6f, %s}%s\n",
           XGEN_MODEL(step_name)(s), each[s * runs + runs / 2], each[s * runs], xgen_work[set][s],
           s + 1 < steps ? "," : "");
  }
  printf("]}\n");
  return 0;
}
