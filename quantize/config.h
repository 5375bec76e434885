#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config.h"

/// What a config says about quantization. Needs no Torch, so that configs can be checked without
/// it.
namespace xgen::quantize {

struct QuantizeConfig {
  std::string observer = "mse";
  int calibration_samples = 512;
  double percentile = 99.99;
  std::vector<std::string> exclude;

  template <class Visitor>
  void describe(Visitor& v) {
    v.choice("observer", observer, {"min_max", "percentile", "mse"},
             "How the range of an activation is chosen. min_max: all that was seen. percentile: "
             "without the rarest values. mse: where the mean squared error of rounding and "
             "clipping is smallest.");
    v.number("calibration_samples", calibration_samples, {1, 1000000},
             "Training samples whose activations are observed.");
    v.number("percentile", percentile, {50, 100},
             "percentile: share of the values, in percent, that is not clipped.");
    v.texts("exclude", exclude, "Globs of names of nodes which stay fp32.");
  }
};

/// Quantization-aware training after calibration. `Training` is the config of a training loop,
/// which this room does not know.
template <class Training>
struct QatConfig {
  int epochs = 3;
  std::optional<Training> training;

  template <class Visitor>
  void describe(Visitor& v) {
    v.number("epochs", epochs, {1, 100000}, "Passes over the training data.");
    v.optional_object("training", training, "What differs from the training of the whole run.");
  }
};

}  // namespace xgen::quantize
