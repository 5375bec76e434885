#include "codegen/latency/speed_reference.h"

#include <algorithm>
#include <chrono>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/lower/lower.h"
#include "core/error.h"

namespace xgen::latency {

namespace {

// So often the image is packed and unpacked while it is convolved once.
constexpr int kCopies = 40;
// The steps of a single layer.
constexpr int kPack = 0, kConvolve = 1, kUnpack = 2;

Program one_layer(const Target& target) {
  Program program =
      lower::lower(single_layer(square_layer(64, 64, 3, 28, false), {}), lowering_for(target));
  XGEN_CHECK(layer_step(program) == kConvolve && program.steps.size() == kUnpack + 1,
             "a layer alone is lowered to other steps");
  return program;
}

}  // namespace

SpeedReference::SpeedReference(const Target& target, const std::string& isa)
    : model_(HostModel::build(one_layer(target), {isa})) {}

double SpeedReference::observe() {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCopies; ++i) model_.run_step(kPack), model_.run_step(kUnpack);
  model_.run_step(kConvolve);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  least_us_ = std::min(least_us_, took.count());
  return took.count();
}

}  // namespace xgen::latency
