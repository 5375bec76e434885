#include "train/cpu.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace xgen::train {

namespace {

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_MAX, 0);  // a large block of its own would go back to the system when freed
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

}  // namespace

void set_up_cpu(int threads) {
  keep_freed_memory();
  at::set_num_threads(threads);
  // Debian's LibTorch multiplies matrices with OpenBLAS, which has a thread pool of its own.
  using SetThreads = void (*)(int);
  if (void* function = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) {
    reinterpret_cast<SetThreads>(function)(threads);
  }
}

}  // namespace xgen::train
