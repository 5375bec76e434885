#include "codegen/latency/speed_reference.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "codegen/compile.h"
#include "codegen/latency/single_layer.h"
#include "codegen/latency/timing.h"
#include "codegen/lower/lower.h"

namespace xgen::latency {

namespace {

// So often the image is packed and unpacked while it is convolved once.
constexpr int kCopies = 40;
constexpr int kTimes = 5, kRounds = 301;
// The steps of a single layer.
constexpr int kPack = 0, kConvolve = 1, kUnpack = 2;

Program one_layer(const Target& target) {
  return lower::lower(single_layer(square_layer(64, 64, 3, 28, false), {}), lowering_for(target));
}

}  // namespace

SpeedReference::SpeedReference(const Target& target, const std::string& isa)
    : model_(HostModel::build(one_layer(target), {isa})) {}

void SpeedReference::operator()() {
  for (int i = 0; i < kCopies; ++i) model_.run_step(kPack), model_.run_step(kUnpack);
  model_.run_step(kConvolve);
}

double SpeedReference::undisturbed_us() {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kTimes; ++i)
    least =
        std::min(least, time_interleaved({std::ref(*this)}, kRounds, kRounds).front().quartile_us);
  return least;
}

}  // namespace xgen::latency
