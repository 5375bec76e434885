#include "train/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace xgen::train {

namespace {

namespace autocast = at::autocast;

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool is_on(c10::Device device) { return autocast::is_autocast_enabled(device.type()); }
void turn(c10::Device device, bool on) {
  autocast::set_autocast_dtype(device.type(), at::kBFloat16);
  autocast::set_autocast_enabled(device.type(), on);
}
#else
bool is_on(c10::Device device) {
  return device.is_cuda() ? autocast::is_enabled() : autocast::is_cpu_enabled();
}
void turn(c10::Device device, bool on) {
  if (device.is_cuda()) {
    autocast::set_autocast_gpu_dtype(at::kBFloat16);
    autocast::set_enabled(on);
  } else {
    autocast::set_autocast_cpu_dtype(at::kBFloat16);
    autocast::set_cpu_enabled(on);
  }
}
#endif

}  // namespace

Autocast::Autocast(c10::Device device, bool on)
    : device_(device), before_(is_on(device)), cached_(on && !before_) {
  turn(device, on);
}

Autocast::~Autocast() {
  turn(device_, before_);
  if (cached_) autocast::clear_cache();
}

}  // namespace xgen::train
